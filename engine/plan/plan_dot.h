// A compiled network as text for Graphviz.
#pragma once

#include <span>
#include <string>

#include <fovea/describe.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// The nodes of the optimised graph and their edges: statements of a drawing, in the look of
/// layer_dot.h. What is fused into a node stands in its label. Weights are not drawn.
[[nodiscard]] std::string optimised_statements(const Graph& graph, const PlotOptions& options);

/// The same with what the plan makes of every node: its tactic and, as text and colour, its share
/// of the time. Nodes that are only places are pale; conversions and copies that the plan adds are
/// drawn beside the value that they convert.
///
/// microseconds   of each of the bucket's steps, in order
[[nodiscard]] std::string plan_statements(const ExecutionPlan& plan,
                                          const BucketPlan& bucket,
                                          std::span<const double> microseconds,
                                          const PlotOptions& options);

}  // namespace fovea
