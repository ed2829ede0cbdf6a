// A compiled network as text for Graphviz.
#pragma once

#include <span>
#include <string>

#include <fovea/describe.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// The nodes of a plan's graph and their edges: statements of a drawing, in the look of
/// layer_dot.h. A label has what is fused into the node and, as text and colour, its share of the
/// time. Weights are not drawn, nodes that are only places are pale. With PlotStage::kPlan also the
/// tactics, and the conversions and copies that the plan adds, between the value that each moves
/// and its readers.
///
/// microseconds   of each of the bucket's steps, in order
[[nodiscard]] std::string plan_statements(const ExecutionPlan& plan,
                                          const BucketPlan& bucket,
                                          std::span<const double> microseconds,
                                          const PlotOptions& options);

/// "29.2 ms", "512.3 us".
[[nodiscard]] std::string duration_text(double microseconds);

}  // namespace fovea
