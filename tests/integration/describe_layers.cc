#include "tests/integration/describe_layers.h"

#include <array>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

namespace fovea::test {

namespace {

void append(std::string& list, char separator, const std::string& item) {
  if (!list.empty()) list += separator;
  list += item;
}

std::string join(const Shape& shape, std::string_view separator) {
  std::string text;
  for (const std::int64_t size : shape) {
    if (!text.empty()) text += separator;
    text += std::to_string(size);
  }
  return text;
}

/// The constant that the value is, perhaps transposed; else nullptr.
const Node* constant_of(const Graph& graph, Value value) {
  const Node* node = &graph.node(value);
  if (node->as<Transpose>() != nullptr) node = &graph.node(node->inputs[0]);
  return node->as<Constant>() != nullptr ? node : nullptr;
}

using Pair = std::array<std::int64_t, 2>;

std::string strides_of(const Pair& strides) {
  EXPECT_EQ(strides[0], strides[1]);
  return 's' + std::to_string(strides[0]);
}

/// What the tables say of the windows of a convolution and a pooling, and of an epsilon.
std::set<std::string> settings_of(const Graph& graph, const Node& node) {
  if (const auto* conv = node.as<Conv2d>()) {
    EXPECT_EQ(conv->dilations, (Pair{1, 1})) << node.name;
    const Shape& kernel = graph.desc(node.inputs[1]).shape;
    return {'k' + join({kernel[1], kernel[2]}, "x"), strides_of(conv->strides)};
  }
  if (const auto* max = node.as<MaxPool>()) {
    return {'k' + std::to_string(max->kernel[0]), strides_of(max->strides)};
  }
  if (const auto* average = node.as<AveragePool>()) {
    EXPECT_FALSE(average->count_padding) << node.name;
    return {'k' + std::to_string(average->kernel[0]), strides_of(average->strides)};
  }
  if (const auto* bn = node.as<BatchNorm>()) {
    std::ostringstream text;
    text << "eps=" << bn->epsilon;
    return {text.str()};
  }
  return {};
}

/// Adds one node of the layer called `name`, and the layer's other nodes before it.
void collect(const Graph& graph, const Node& node, const std::string& name, Layer& layer) {
  layer.operators.emplace(op_name(node.op));
  layer.settings.merge(settings_of(graph, node));
  for (const Value& input : node.inputs) {
    const Node& source = graph.node(input);
    if (const Node* constant = constant_of(graph, input)) {
      if (constant->as<Constant>()->data != nullptr) continue;  // a gamma that Keras leaves out
      const Shape& shape = constant->outputs[0].shape;
      append(layer.weights,
             ';',
             constant->name.substr(name.size() + 1) + '[' + join(shape, ", ") + ']');
      layer.parameters += num_elements(shape);
    } else if (source.name.starts_with(name + '/')) {
      collect(graph, source, name, layer);
    } else {
      append(layer.inputs, ',', source.name);
    }
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Layer& layer) {
  for (const auto& op : layer.operators) stream << op << ' ';
  for (const auto& setting : layer.settings) stream << setting << ' ';
  return stream << "of (" << layer.inputs << ") to " << layer.shape << " with " << layer.parameters
                << " parameters: " << layer.weights;
}

std::map<std::string, Layer> describe_layers(const Graph& graph) {
  std::map<std::string, Layer> layers;
  for (const Node& node : graph.nodes()) {
    const bool part_of_a_layer = node.name.find('/') != std::string::npos;
    if (part_of_a_layer) continue;
    const Shape& shape = node.outputs[0].shape;
    Layer& layer = layers[node.name];
    layer.shape = join({shape.begin() + 1, shape.end()}, "x");
    collect(graph, node, node.name, layer);
  }
  return layers;
}

}  // namespace fovea::test
