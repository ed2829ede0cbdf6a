// The least time that the steps of a plan can take on a device.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include <fovea/plan.h>

#include "engine/backend/ceilings.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/plan_cost.h"

namespace fovea {

/// The floor of one step.
struct Floor {
  double bytes_us = 0;  ///< of the bytes that it must move, microseconds
  double flops_us = 0;  ///< of its operations, at the rate of the type that it multiplies

  [[nodiscard]] double us() const { return bytes_us > flops_us ? bytes_us : flops_us; }
};

/// Of every step of the bucket. Launches cost time as well, which no data sheet says.
///
/// costs   step_costs(plan, bucket)
[[nodiscard]] std::vector<Floor> step_floors(const ExecutionPlan& plan,
                                             const BucketPlan& bucket,
                                             std::span<const Cost> costs,
                                             const Ceilings& ceilings);

/// Of all of them on the plan's own device; nothing where its ceilings are not known.
[[nodiscard]] std::optional<PlanFloor> plan_floor(const ExecutionPlan& plan,
                                                  const BucketPlan& bucket);

}  // namespace fovea
