// The steps of a bucket on the addresses of one context, captured where the backend captures.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/backend/bound_step.h"
#include "engine/runtime/device_memory.h"

namespace fovea {

/// Refers to the bucket, the memory and the stream, which outlive it.
class BoundBucket {
 public:
  /// workspace   shared by all steps
  BoundBucket(const BucketPlan& bucket,
              const DeviceAddresses& addresses,
              std::byte* workspace,
              Stream& stream);

  /// Enqueues the steps on the stream, which is the one of the constructor; allocates nothing.
  void enqueue(Stream& stream) const;

 private:
  std::vector<BoundStep> steps_;
  std::unique_ptr<Replay> replay_;  ///< of the steps, or null
};

/// Repeats the last of n rows in device memory until there are `batch`, by copies on the device
/// that each double what is there. So that a bucket's missing pictures hold values that a picture
/// can have; what comes of them is dropped.
///
/// rows   device, `batch` rows of `row_bytes`
/// n      1 to batch
void repeat_last_row(
    Stream& stream, std::byte* rows, std::size_t row_bytes, std::int64_t n, std::int64_t batch);

}  // namespace fovea
