// The steps of a bucket with the addresses of one context.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "engine/backend/bound_step.h"
#include "engine/plan/execution_plan.h"

namespace fovea {

/// The bucket's steps, in order, bound to `stream`.
///
/// address     of a slot; null for kNoSlot
/// workspace   shared by all steps
template <typename Address>
[[nodiscard]] std::vector<BoundStep> bind_steps(const BucketPlan& bucket,
                                                const Address& address,
                                                std::byte* workspace,
                                                Stream& stream) {
  std::vector<BoundStep> steps;
  steps.reserve(bucket.steps.size());
  for (const PlannedStep& planned : bucket.steps) {
    std::vector<const std::byte*> inputs;
    inputs.reserve(planned.inputs.size());
    for (const SlotId slot : planned.inputs) inputs.push_back(address(slot));
    std::vector<std::byte*> outputs;
    outputs.reserve(planned.outputs.size());
    for (const SlotId slot : planned.outputs) outputs.push_back(address(slot));
    steps.emplace_back(*planned.step, std::move(inputs), std::move(outputs), workspace, stream);
  }
  return steps;
}

}  // namespace fovea
