// Every step of a plan against the definition of the operator that it computes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/graph/interpret.h"
#include "engine/graph/tensor_difference.h"
#include "engine/plan/execution_plan.h"

namespace fovea {

/// Told of each step that computes a node, with how far its result is from the definition's on the
/// inputs that the step itself had. Of a TopK it is the values, and what its indices point at.
using OnStepCompared = std::function<void(const PlannedStep&, const TensorDifference&)>;

/// Runs the bucket's steps one by one. Nodes that are only places (a Concat whose inputs lie in its
/// buffer, a view) have no step: a wrong place shows in the first step that reads it.
///
/// inputs   in the order of ExecutionPlan::inputs, dense, of the whole bucket
/// Returns the plan's outputs, dense.
std::vector<TensorBytes> compare_steps(const std::shared_ptr<const ExecutionPlan>& plan,
                                       const BucketPlan& bucket,
                                       std::span<const TensorBytes> inputs,
                                       const OnStepCompared& on_step);

}  // namespace fovea
