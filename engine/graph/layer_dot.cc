#include "engine/graph/layer_dot.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/layers.h"

namespace fovea {

namespace {

/// Text inside a label that is marked up like HTML.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

/// As NumPy and Keras call it.
std::string_view keras_dtype(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kInt8:
      return "int8";
    case DType::kUInt8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
  }
  return {};
}

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

std::string cell(std::string_view what, std::string_view value) {
  return cat("<td bgcolor=\"white\"><font point-size=\"14\">",
             what,
             ": <b>",
             escaped(value),
             "</b></font></td>");
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
  std::vector<std::string> cells;
  if (options.show_shapes && result.as<Input>() == nullptr) {
    cells.push_back(cell("Input shape", keras_shapes(input_descs(graph, layers, layer))));
  }
  if (options.show_shapes) cells.push_back(cell("Output shape", keras_shapes(result.outputs)));
  if (options.show_dtype) {
    cells.push_back(cell("Output dtype", keras_dtype(result.outputs.at(0).dtype)));
  }

  const auto row = [&](std::string_view color, std::string_view content) {
    return cat("<tr><td bgcolor=\"",
               color,
               "\" colspan=\"",
               std::max<std::size_t>(cells.size(), 1),
               "\">",
               content,
               "</td></tr>");
  };
  std::string table = R"(<table border="0" cellborder="1" bgcolor="black" cellpadding="10">)";
  table += row("black",
               cat("<font point-size=\"16\" color=\"white\"><b>",
                   escaped(result.name),
                   "</b> (",
                   escaped(layer.type),
                   ")</font>"));
  if (const std::string function = activation(layer, result); !function.empty()) {
    table += row("white", cat("<font point-size=\"14\">Activation: <b>", function, "</b></font>"));
  }
  if (!cells.empty()) {
    table += "<tr>";
    for (const std::string& text : cells) table += text;
    table += "</tr>";
  }
  return table + "</table>";
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

}  // namespace

std::string layer_dot(const Graph& graph, const PlotOptions& options) {
  const std::vector<Layer> all = layers(graph);
  std::string text = cat("digraph {\n  rankdir=",
                         options.left_to_right ? "LR" : "TB",
                         ";\n  node [shape=plain, fontname=Helvetica];\n  edge [penwidth=2];\n");
  for (std::size_t i = 0; i < all.size(); ++i) {
    text += cat("  layer", i, " [label=<", label(graph, all, all[i], options), ">];\n");
  }
  return text + edges(all) + "}\n";
}

}  // namespace fovea
