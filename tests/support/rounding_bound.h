// How far the results of a rewritten graph may lie from those of the graph that it was made from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "tests/support/evaluate_graph.h"

namespace fovea::test {

/// Of every node's output 0, how far any element may be off where every operator that computes
/// rounds `roundings` more times to float32. Each rounding errs by at most 2^-24 of the largest sum
/// of magnitudes that it may concern, so that sums which cancel are judged by their terms; from
/// there errors are carried through the operators by their Lipschitz constants, to first order.
/// With 0 roundings everything is 0: nothing may differ.
///
/// graph    of concrete batch
/// values   what its nodes hold: evaluate_nodes()
[[nodiscard]] std::vector<double> rounding_bounds(const Graph& graph,
                                                  const NodeValues& values,
                                                  double roundings);

/// What is wrong with `actual` as the value of an output of `graph`, float32 or of a TopK, or
/// nothing. Values may be off by their bound; an index of TopK may be another one whose element is
/// as large within the bound.
[[nodiscard]] std::optional<std::string> mismatch(const Graph& graph,
                                                  const NodeValues& values,
                                                  const std::vector<double>& bounds,
                                                  Value output,
                                                  const Bytes& actual);

}  // namespace fovea::test
