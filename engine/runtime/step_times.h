// What each step of a plan takes.
#pragma once

#include <memory>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// Microseconds of each of the bucket's steps, in order: the median over runs on pseudo-random
/// inputs, one step at a time, so that their sum is a little more than the plan takes. Runs for
/// about `seconds`, at least three times.
[[nodiscard]] std::vector<double> step_microseconds(
    const std::shared_ptr<const ExecutionPlan>& plan, const BucketPlan& bucket, double seconds);

}  // namespace fovea
