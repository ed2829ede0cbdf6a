// Runs a graph by the definitions of its operators.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea::test {

/// The float32 results of all nodes by name, for float32 inputs by name. Nodes are evaluated in
/// order; the graph has no symbolic batch and all its weights.
[[nodiscard]] std::map<std::string, std::vector<float>> evaluate_graph(
    const Graph& graph, const std::map<std::string, std::vector<float>>& inputs);

}  // namespace fovea::test
