// Running a plan one step at a time, for comparing its values and timing its steps.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/backend/weight_store.h"
#include "engine/plan/execution_plan.h"
#include "engine/runtime/bind_steps.h"
#include "engine/runtime/encoded_inputs.h"

namespace fovea {

/// Owns a stream and an arena, as an ExecutionContext does, but waits after every step and captures
/// nothing: what it shows of a step's result is what the plan computes, what it shows of its time
/// is not what the plan takes as a whole. Not thread-safe.
class PlanTrace {
 public:
  /// bucket   one of the plan's. Throws device/out-of-memory.
  PlanTrace(std::shared_ptr<const ExecutionPlan> plan, const BucketPlan& bucket);
  ~PlanTrace();
  PlanTrace(const PlanTrace&) = delete;
  PlanTrace& operator=(const PlanTrace&) = delete;

  /// Fills the inputs: in the order of ExecutionPlan::inputs, dense, of the whole bucket.
  void upload(std::span<const std::vector<std::byte>> inputs);

  /// Told of each step when it is done: its index in BucketPlan::steps and the milliseconds it
  /// took, waiting included.
  using AfterStep = std::function<void(std::size_t step, float milliseconds)>;

  /// Runs all steps on the inputs of the last upload(), which stay only as long as no step's
  /// result takes their place.
  void run(const AfterStep& after);

  /// What the slot holds now, dense.
  [[nodiscard]] std::vector<std::byte> read(SlotId slot);

 private:
  [[nodiscard]] std::byte* address(SlotId slot) const;

  std::shared_ptr<const ExecutionPlan> plan_;
  const BucketPlan& bucket_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Event> start_;
  std::unique_ptr<Event> end_;
  WeightStore no_weights_;  ///< conversions are built with one, and use none
  EncodedInputs encoded_;
  std::shared_ptr<std::byte> arena_;
  std::vector<BoundStep> steps_;
};

}  // namespace fovea
