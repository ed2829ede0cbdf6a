// The device memory of a context: how much a plan needs, where each of its values lies, and what is
// said where it cannot be had.
//
// One allocation: the arena of the largest bucket, the largest workspace and, for contexts that
// work on several batches at once, a staging area for each of them. In the staging area lie the
// buffers of the plan's inputs and outputs, so that copies of one batch run beside the steps of
// another one; all else lies in the arena, which the batches use one after the other.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// Offsets into the memory of a context, and sizes; all in bytes.
struct DeviceLayout {
  std::size_t workspace = 0;      ///< where it begins; the arena begins at 0
  std::size_t staging = 0;        ///< where the first staging area begins
  std::size_t staging_bytes = 0;  ///< of one staging area
  std::size_t bytes = 0;          ///< of all
};

/// batches   that are worked on at once: staging areas; 0: inputs and outputs lie in the arena
[[nodiscard]] DeviceLayout device_layout(std::span<const BucketPlan> buckets, std::size_t batches);

/// Bytes that a context allocates on the device, all at once; the weights are the plan's.
/// `batches` as in device_layout(): 0 for an ExecutionContext, else of a PipelinedContext.
[[nodiscard]] std::size_t device_bytes(const ExecutionPlan& plan, std::size_t batches);

/// device_bytes() of the plan's device. Throws DeviceError (device/out-of-memory) that says how
/// much was needed, how much is free, and the largest batch that there is memory for.
[[nodiscard]] std::shared_ptr<std::byte> allocate_device(const ExecutionPlan& plan,
                                                         std::size_t batches);

/// The addresses of a bucket's values in a context's memory.
class DeviceAddresses {
 public:
  /// memory    of the context
  /// staging   of the batch, null where inputs and outputs lie in the arena
  DeviceAddresses(const BucketPlan& bucket, std::byte* memory, std::byte* staging);

  /// Null for kNoSlot.
  [[nodiscard]] std::byte* operator()(SlotId slot) const;

 private:
  const BucketPlan& bucket_;
  std::vector<std::byte*> buffers_;  ///< in the order of BucketPlan::buffers
};

/// Bytes of the bucket's inputs and outputs in a staging area.
[[nodiscard]] std::size_t staging_bytes(const BucketPlan& bucket);

}  // namespace fovea
