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

std::optional<NodeId> only_reader(const Graph& graph,
                                  NodeId id,
                                  const std::vector<NodeId>& read_by) {
  if (graph.use_count(id) != 1 || read_by.size() != 1) return std::nullopt;
  return read_by[0];
}

bool is_output(const Graph& graph, NodeId id) {
  return std::ranges::any_of(graph.outputs(),
                             [id](const GraphOutput& output) { return output.value.node == id; });
}

bool reads_slices(const Op& op) {
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<SeparableConv2d>(op) ||
         std::holds_alternative<MaxPool>(op) || std::holds_alternative<AveragePool>(op) ||
         std::holds_alternative<GlobalPool>(op) || std::holds_alternative<Add>(op) ||
         std::holds_alternative<Relu>(op) || std::holds_alternative<Clip>(op) ||
         std::holds_alternative<Tanh>(op) || std::holds_alternative<Sigmoid>(op);
}

}  // namespace fovea
