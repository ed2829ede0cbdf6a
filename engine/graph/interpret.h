// Evaluating graphs by the definitions of their operators.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// A dense tensor's bytes.
using TensorBytes = std::vector<std::byte>;

/// All outputs of the node, for the bytes of its inputs. Constants give their data.
/// `node` belongs to `graph`, whose shapes are concrete.
[[nodiscard]] std::vector<TensorBytes> evaluate_node(const Graph& graph,
                                                     const Node& node,
                                                     std::span<const std::byte* const> inputs);

/// The graph's outputs, in order, for its inputs, in the order of Graph::inputs(). Values are freed
/// when nothing reads them any more. The graph's shapes are concrete and its weights known; throws
/// InvalidArgument for another number or size of inputs.
[[nodiscard]] std::vector<TensorBytes> evaluate_graph(const Graph& graph,
                                                      std::span<const TensorBytes> inputs);

}  // namespace fovea
