#include "engine/plan/plan_floor.h"

#include "engine/graph/half.h"

namespace fovea {

namespace {

constexpr double kMicro = 1e6;

/// The rate at which the step's operations can run. Those that multiply nothing are few beside
/// their bytes, whatever the rate.
double flops_per_s(const ExecutionPlan& plan, const PlannedStep& step, const Ceilings& ceilings) {
  const Node& node = plan.graph.node(step.node);
  if (is_half(plan.graph.desc(node.inputs[0]).dtype)) return ceilings.half_flops;
  return plan.precision == Precision::kTf32 ? ceilings.tf32_flops : ceilings.fp32_flops;
}

}  // namespace

std::vector<Floor> step_floors(const ExecutionPlan& plan,
                               const BucketPlan& bucket,
                               std::span<const Cost> costs,
                               const Ceilings& ceilings) {
  std::vector<Floor> floors(bucket.steps.size());
  for (std::size_t i = 0; i < floors.size(); ++i) {
    const Cost& cost = costs[i];
    const std::size_t bytes = cost.read_bytes + cost.written_bytes + cost.weight_bytes;
    floors[i].bytes_us = kMicro * static_cast<double>(bytes) / ceilings.bytes_per_s;
    const PlannedStep& step = bucket.steps[i];
    if (step.node == kNoNode) continue;
    floors[i].flops_us =
        kMicro * static_cast<double>(cost.flops) / flops_per_s(plan, step, ceilings);
  }
  return floors;
}

std::optional<PlanFloor> plan_floor(const ExecutionPlan& plan, const BucketPlan& bucket) {
  const std::optional<Ceilings> ceilings = plan.backend->ceilings();
  if (!ceilings) return std::nullopt;
  double bytes_us = 0;
  double flops_us = 0;
  for (const Floor& floor : step_floors(plan, bucket, step_costs(plan, bucket), *ceilings)) {
    (floor.bytes_us >= floor.flops_us ? bytes_us : flops_us) += floor.us();
  }
  return PlanFloor{.device = ceilings->device,
                   .us = bytes_us + flops_us,
                   .bound_by_bytes = bytes_us >= flops_us};
}

}  // namespace fovea
