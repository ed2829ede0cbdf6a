// What each step of a plan takes.
#pragma once

#include <memory>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// Microseconds of each of the bucket's steps, in order: the least over runs on pseudo-random
/// inputs, one step at a time. What other programs take of the processors makes some runs of a step
/// longer, or most of them, but none shorter. Runs for about `seconds`, at least three times.
[[nodiscard]] std::vector<double> step_microseconds(
    const std::shared_ptr<const ExecutionPlan>& plan, const BucketPlan& bucket, double seconds);

}  // namespace fovea
