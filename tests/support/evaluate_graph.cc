#include "tests/support/evaluate_graph.h"

#include <cstring>
#include <span>
#include <stdexcept>

namespace fovea::test {

NodeValues evaluate_nodes(const Graph& graph, const std::map<std::string, Bytes>& inputs) {
  NodeValues values;
  values.reserve(graph.nodes().size());
  for (const Node& node : graph.nodes()) {
    auto& outputs = values.emplace_back();
    for (const TensorDesc& desc : node.outputs) outputs.emplace_back(byte_size(desc));
    if (node.as<Input>() != nullptr) {
      const Bytes& bytes = inputs.at(node.name);
      if (bytes.size() != outputs[0].size()) throw std::invalid_argument("wrong size of an input");
      outputs[0] = bytes;
      continue;
    }
    std::vector<ConstTensorView> sources;
    sources.reserve(node.inputs.size());
    for (const Value& input : node.inputs) {
      const auto& bytes =
          values[static_cast<std::size_t>(input.node)][static_cast<std::size_t>(input.output)];
      sources.push_back({&graph.desc(input), bytes.data()});
    }
    std::vector<TensorView> targets;
    targets.reserve(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      targets.push_back({&node.outputs[i], outputs[i].data()});
    }
    evaluate(node.op, sources, targets);
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
