#include "engine/graph/layer_dot.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/dot_label.h"
#include "engine/graph/layers.h"

namespace fovea {

namespace {

/// The activation that a layer ends in, as Keras calls it; empty where there is none or where the
/// layer's type says it.
std::string activation(const Layer& layer, const Node& result) {
  const std::string_view op = op_name(result.op);
  if (op == layer.type) return {};
  if (const auto* clip = result.as<Clip>()) {
    return clip->lo == 0.0F && clip->hi == 6.0F ? "relu6" : "";
  }
  constexpr std::array<std::string_view, 4> kNames{"Relu", "Tanh", "Sigmoid", "Softmax"};
  if (std::find(kNames.begin(), kNames.end(), op) == kNames.end()) return {};
  std::string name(op);
  name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

/// What the layer reads.
std::vector<TensorDesc> input_descs(const Graph& graph,
                                    const std::vector<Layer>& layers,
                                    const Layer& layer) {
  std::vector<TensorDesc> descs;
  descs.reserve(layer.inputs.size());
  for (const LayerInput& input : layer.inputs) {
    descs.push_back(graph.desc({layers.at(input.layer).result, input.output}));
  }
  if (!descs.empty()) return descs;
  for (const NodeId id : graph.inputs()) {  // the first layer of a Sequential
    if (graph.node(id).layer.empty()) descs.push_back(graph.node(id).outputs.at(0));
  }
  return descs;
}

/// The table of one layer.
std::string label(const Graph& graph,
                  const std::vector<Layer>& layers,
                  const Layer& layer,
                  const PlotOptions& options) {
  const Node& result = graph.node(layer.result);
  DotLabel label{.name = result.name, .type = layer.type};
  if (std::string function = activation(layer, result); !function.empty()) {
    label.rows.push_back({"Activation", std::move(function)});
  }
  if (options.show_shapes && result.as<Input>() == nullptr) {
    label.cells.push_back({"Input shape", keras_shapes(input_descs(graph, layers, layer))});
  }
  if (options.show_shapes) label.cells.push_back({"Output shape", keras_shapes(result.outputs)});
  if (options.show_dtype) {
    label.cells.push_back({"Output dtype", std::string(keras_dtype(result.outputs.at(0).dtype))});
  }
  return dot_label(label);
}

/// One edge from each layer to each that reads it. Those of a chain get weight, which makes the
/// chain a straight column.
std::string edges(const std::vector<Layer>& layers) {
  std::set<std::pair<std::size_t, std::size_t>> drawn;  // the reader first
  std::vector<int> in(layers.size());
  std::vector<int> out(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const LayerInput& input : layers[i].inputs) {
      if (!drawn.insert({i, input.layer}).second) continue;
      ++in[i];
      ++out[input.layer];
    }
  }
  std::string text;
  for (const auto& [to, from] : drawn) {
    const bool chained = in[to] == 1 && out[from] == 1;
    text += cat("  layer", from, " -> layer", to, chained ? " [weight=20];\n" : ";\n");
  }
  return text;
}

/// The inputs of a chain, which are no layers.
std::string inputs_of_chain(const Graph& graph,
                            const std::vector<Layer>& layers,
                            const PlotOptions& options) {
  std::string text;
  for (const NodeId id : graph.inputs()) {
    const Node& node = graph.node(id);
    const bool is_layer = std::ranges::find(layers, id, &Layer::result) != layers.end();
    if (is_layer || layers.empty()) continue;
    DotLabel label{.name = node.name, .type = "Input"};
    if (options.show_shapes) label.cells.push_back({"Output shape", keras_shapes(node.outputs)});
    text += cat("  input", id, " [label=<", dot_label(label), ">];\n");
    text += cat("  input", id, " -> layer0 [weight=20];\n");
  }
  return text;
}

}  // namespace

std::string layer_statements(const Graph& graph, const PlotOptions& options) {
  const std::vector<Layer> all = layers(graph);
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    text += cat("  layer", i, " [label=<", label(graph, all, all[i], options), ">];\n");
  }
  if (options.beside) text += inputs_of_chain(graph, all, options);
  return text + edges(all);
}

std::string layer_dot(const Graph& graph, const PlotOptions& options) {
  return cat(
      "digraph {\n", dot_style(options.left_to_right), layer_statements(graph, options), "}\n");
}

}  // namespace fovea
