// A step with the addresses of one context.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// A step with its addresses, which never change. `args` points into it: it may be moved, as
/// vectors keep their elements' addresses, and its state keeps it from being copied.
struct BoundStep {
  void enqueue(Stream& stream) const { step->enqueue(args, stream); }

  const Step* step = nullptr;
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  std::unique_ptr<StepState> state;
  StepArgs args;
};

/// The bucket's steps, in order, bound to `stream`.
///
/// address     of a slot; null for kNoSlot
/// workspace   shared by all steps
template <typename Address>
[[nodiscard]] std::vector<BoundStep> bind_steps(const BucketPlan& bucket,
                                                const Address& address,
                                                std::byte* workspace,
                                                Stream& stream) {
  std::vector<BoundStep> steps(bucket.steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const PlannedStep& planned = bucket.steps[i];
    BoundStep& step = steps[i];
    step.step = planned.step.get();
    for (const SlotId slot : planned.inputs) step.inputs.push_back(address(slot));
    for (const SlotId slot : planned.outputs) step.outputs.push_back(address(slot));
    step.args = {step.inputs, step.outputs, workspace, nullptr};
    step.state = step.step->bind(step.args, stream);
    step.args.state = step.state.get();
  }
  return steps;
}

}  // namespace fovea
