// Runs a graph by the definitions of its operators.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea::test {

using Bytes = std::vector<std::byte>;

/// What every output of every node holds, by node and output.
using NodeValues = std::vector<std::vector<Bytes>>;

/// All values of a graph, for its inputs by name. Nodes are evaluated in order; the graph has no
/// symbolic batch and all its weights.
[[nodiscard]] NodeValues evaluate_nodes(const Graph& graph,
                                        const std::map<std::string, Bytes>& inputs);

/// The float32 results of all nodes by name, for float32 inputs by name; else as evaluate_nodes.
[[nodiscard]] std::map<std::string, std::vector<float>> evaluate_graph(
    const Graph& graph, const std::map<std::string, std::vector<float>>& inputs);

}  // namespace fovea::test
