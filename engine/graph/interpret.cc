#include "engine/graph/interpret.h"

#include <cstring>
#include <utility>

#include "engine/core/require.h"

namespace fovea {

std::vector<TensorBytes> evaluate_node(const Graph& graph,
                                       const Node& node,
                                       std::span<const std::byte* const> inputs) {
  std::vector<TensorBytes> outputs;
  outputs.reserve(node.outputs.size());
  for (const TensorDesc& desc : node.outputs) outputs.emplace_back(byte_size(desc));
  if (const auto* constant = node.as<Constant>()) {
    const PinnedBytes data = constant->read();
    std::memcpy(outputs[0].data(), data.data(), data.size());
    return outputs;
  }
  std::vector<ConstTensorView> sources;
  sources.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    sources.push_back({&graph.desc(node.inputs[i]), inputs[i]});
  }
  std::vector<TensorView> targets;
  targets.reserve(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    targets.push_back({&node.outputs[i], outputs[i].data()});
  }
  evaluate(node.op, sources, targets);
  return outputs;
}

std::vector<TensorBytes> evaluate_graph(const Graph& graph, std::span<const TensorBytes> inputs) {
  std::vector<NodeId> last_use(graph.nodes().size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Value& input : graph.node(id).inputs) {
      last_use[static_cast<std::size_t>(input.node)] = id;
    }
  }
  for (const GraphOutput& output : graph.outputs()) {
    last_use[static_cast<std::size_t>(output.value.node)] = graph.size();
  }

  std::vector<std::vector<TensorBytes>> values(graph.nodes().size());
  const auto value = [&](Value v) -> const TensorBytes& {
    return values[static_cast<std::size_t>(v.node)][static_cast<std::size_t>(v.output)];
  };
  std::size_t next_input = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    auto& results = values[static_cast<std::size_t>(id)];
    if (node.as<Input>() != nullptr) {
      require(next_input < inputs.size(), "the graph has more inputs");
      require(inputs[next_input].size() == byte_size(node.outputs[0]), "wrong size of an input");
      results = {inputs[next_input++]};
      continue;
    }
    std::vector<const std::byte*> sources;
    sources.reserve(node.inputs.size());
    for (const Value& input : node.inputs) sources.push_back(value(input).data());
    results = evaluate_node(graph, node, sources);
    for (const Value& input : node.inputs) {
      if (last_use[static_cast<std::size_t>(input.node)] == id) {
        values[static_cast<std::size_t>(input.node)].clear();
      }
    }
  }
  require(next_input == inputs.size(), "the graph has fewer inputs");

  std::vector<TensorBytes> outputs;
  for (const GraphOutput& output : graph.outputs()) outputs.push_back(value(output.value));
  return outputs;
}

}  // namespace fovea
