// The mutable state of one in-flight inference.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <fovea/stage_times.h>

#include "engine/plan/execution_plan.h"
#include "engine/runtime/bound_bucket.h"
#include "engine/runtime/device_memory.h"
#include "engine/runtime/encoded_inputs.h"
#include "engine/runtime/tensor_size.h"

namespace fovea {

/// Owns one stream and one arena for one plan. All memory is allocated, all steps are bound and,
/// where the backend captures, all buckets are captured by the constructor; run() allocates
/// nothing but what encoding an input takes. Not thread-safe: use one context per thread.
class ExecutionContext {
 public:
  /// Throws DeviceError (device/out-of-memory) where the arena does not fit.
  explicit ExecutionContext(std::shared_ptr<const ExecutionPlan> plan);

  ~ExecutionContext();
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  /// Runs n pictures: copies `inputs` in, runs the steps of the smallest bucket that holds n,
  /// copies `outputs` out, and waits. Missing pictures of the bucket repeat the last one; what
  /// comes of them is dropped.
  ///
  /// n        1 to the plan's largest bucket; 1 for a plan without a symbolic batch
  /// inputs   in the order of ExecutionPlan::inputs, dense, byte_size(with_batch(desc, n)) bytes
  /// each outputs  likewise for ExecutionPlan::outputs
  /// times    null, or what the stages' times are added to
  ///
  /// Throws DeviceError, and InvalidArgument for an input that its encoder does not take; nothing
  /// of the run is at work any more then.
  void run(std::int64_t n,
           std::span<const std::span<const std::byte>> inputs,
           std::span<const std::span<std::byte>> outputs,
           StageTimes* times = nullptr);

  [[nodiscard]] const ExecutionPlan& plan() const { return *plan_; }

  /// Bytes of this context's memory on the device.
  [[nodiscard]] std::size_t arena_bytes() const { return device_bytes(*plan_, 0); }

 private:
  void require_sizes(std::int64_t n,
                     std::span<const std::span<const std::byte>> inputs,
                     std::span<const std::span<std::byte>> outputs) const;
  void upload(const BucketPlan& bucket,
              std::int64_t n,
              std::span<const std::span<const std::byte>> inputs);
  void download(const BucketPlan& bucket, std::span<const std::span<std::byte>> outputs);
  void add_times(std::int64_t n, StageTimes& times) const;
  [[nodiscard]] std::byte* address(const BucketPlan& bucket, SlotId slot) const;

  std::shared_ptr<const ExecutionPlan> plan_;
  std::unique_ptr<Stream> stream_;
  std::vector<TensorSize> input_sizes_;
  std::vector<TensorSize> output_sizes_;
  EncodedInputs encoded_;
  std::shared_ptr<std::byte> arena_;
  std::array<std::unique_ptr<Event>, 4>
      boundaries_;                  ///< of a run's stages: upload, steps, download
  std::vector<BoundBucket> bound_;  ///< in the order of ExecutionPlan::buckets
};

}  // namespace fovea
