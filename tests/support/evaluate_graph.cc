#include "tests/support/evaluate_graph.h"

#include <cstring>
#include <span>
#include <stdexcept>

#include "engine/graph/interpret.h"

namespace fovea::test {

NodeValues evaluate_nodes(const Graph& graph, const std::map<std::string, Bytes>& inputs) {
  NodeValues values;
  values.reserve(graph.nodes().size());
  for (const Node& node : graph.nodes()) {
    if (node.as<Input>() != nullptr) {
      const Bytes& bytes = inputs.at(node.name);
      if (bytes.size() != byte_size(node.outputs[0])) {
        throw std::invalid_argument("wrong size of an input");
      }
      values.push_back({bytes});
      continue;
    }
    std::vector<const std::byte*> sources;
    sources.reserve(node.inputs.size());
    for (const Value& input : node.inputs) {
      const NodeValues::value_type& source = values[static_cast<std::size_t>(input.node)];
      sources.push_back(source[static_cast<std::size_t>(input.output)].data());
    }
    values.push_back(evaluate_node(graph, node, sources));
  }
  return values;
}

std::map<std::string, std::vector<float>> evaluate_graph(
    const Graph& graph, const std::map<std::string, std::vector<float>>& inputs) {
  std::map<std::string, Bytes> bytes_of_inputs;
  for (const auto& [name, floats] : inputs) {
    const auto bytes = std::as_bytes(std::span(floats));
    bytes_of_inputs[name].assign(bytes.begin(), bytes.end());
  }
  const NodeValues values = evaluate_nodes(graph, bytes_of_inputs);

  std::map<std::string, std::vector<float>> results;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.desc({id, 0}).dtype != DType::kFloat32) continue;
    const Bytes& bytes = values[static_cast<std::size_t>(id)][0];
    std::vector<float>& floats = results[graph.node(id).name];
    floats.resize(bytes.size() / sizeof(float));
    std::memcpy(floats.data(), bytes.data(), bytes.size());
  }
  return results;
}

}  // namespace fovea::test
