#include "engine/passes/readers.h"

#include <algorithm>

namespace fovea {

std::vector<std::vector<NodeId>> readers(const Graph& graph) {
  std::vector<std::vector<NodeId>> result(graph.nodes().size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Value& input : graph.node(id).inputs) {
      result[static_cast<std::size_t>(input.node)].push_back(id);
    }
  }
  return result;
}

bool is_output(const Graph& graph, NodeId id) {
  return std::ranges::any_of(graph.outputs(),
                             [id](const GraphOutput& output) { return output.value.node == id; });
}

}  // namespace fovea
