// The zoo's networks, layer by layer, against tables that were traced from Keras's own sources.
#include "models/builders/zoo.h"

#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/api/model_graph.h"
#include "engine/graph/graph.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using ZooTest = test::SharedDataTest;

struct Layer {
  std::string kind;     // our operator, before an activation of the layer's own
  std::string shape;    // "112x112x64"
  std::string inputs;   // "conv1_pad"
  std::string weights;  // "kernel[7, 7, 3, 64];bias[64]"

  bool operator==(const Layer&) const = default;
};

std::ostream& operator<<(std::ostream& stream, const Layer& layer) {
  return stream << layer.kind << ' ' << layer.shape << " of (" << layer.inputs << ") with "
                << layer.weights;
}

std::string join(const Shape& shape, std::size_t from, const char* separator) {
  std::string text;
  for (std::size_t i = from; i < shape.size(); ++i) {
    text += (i == from ? "" : separator) + std::to_string(shape[i]);
  }
  return text;
}

/// The parameter that the value is, perhaps transposed; else nullptr.
const Node* parameter_of(const Graph& graph, Value value) {
  const Node* node = &graph.node(value);
  if (node->as<Transpose>() != nullptr) node = &graph.node(node->inputs[0]);
  return node->as<Constant>() != nullptr ? node : nullptr;
}

Layer describe(const Graph& graph, const Node& node) {
  const NodeId before = graph.find(node.name + "/pre_activation");
  const Node& main = before < 0 ? node : graph.node(before);
  Layer layer{std::string(op_name(main.op)), join(node.outputs[0].shape, 1, "x"), {}, {}};
  for (const Value& input : main.inputs) {
    if (const Node* parameter = parameter_of(graph, input)) {
      const std::string weight = parameter->name.substr(node.name.size() + 1);
      layer.weights += (layer.weights.empty() ? "" : ";") + weight + '[' +
                       join(parameter->outputs[0].shape, 0, ", ") + ']';
    } else {
      layer.inputs += (layer.inputs.empty() ? "" : ",") + graph.node(input).name;
    }
  }
  return layer;
}

/// All layers by name.
std::map<std::string, Layer> describe(const Graph& graph) {
  std::map<std::string, Layer> layers;
  for (const Node& node : graph.nodes()) {
    const bool part_of_a_layer = node.name.find('/') != std::string::npos;
    if (!part_of_a_layer) layers[node.name] = describe(graph, node);
  }
  return layers;
}

/// Our operator for a class of Keras.
const std::map<std::string, std::string>& operators() {
  static const std::map<std::string, std::string> kTable{{"InputLayer", "Input"},
                                                         {"ZeroPadding2D", "Pad"},
                                                         {"Conv2D", "Conv2d"},
                                                         {"BatchNormalization", "BatchNorm"},
                                                         {"Activation", "Relu"},
                                                         {"MaxPooling2D", "MaxPool"},
                                                         {"Add", "Add"},
                                                         {"GlobalAveragePooling2D", "GlobalPool"},
                                                         {"Dense", "Dense"}};
  return kTable;
}

/// The rows of a table: index, name, class, output shape, parameters, MACs, attributes, inputs,
/// weights.
std::map<std::string, Layer> read_layers(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::map<std::string, Layer> layers;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
    cells.resize(9);
    layers[cells[1]] = {operators().at(cells[2]), cells[3], cells[7], cells[8]};
  }
  return layers;
}

std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const Node& node : graph.nodes()) {
    if (node.as<Constant>() != nullptr) count += num_elements(node.outputs[0].shape);
  }
  return count;
}

Graph build(std::string_view name, zoo::InputSize size) {
  return ModelGraphAccess::graph(zoo::find(name).build(size));
}

}  // namespace

TEST_F(ZooTest, ResNet50HasTheLayersAndWeightsOfKeras) {
  const auto expected = read_layers(shared_ / "design" / "zoo" / "ResNet50.tsv");
  ASSERT_EQ(expected.size(), 177U);

  const Graph graph = build("resnet50", {224, 224});

  const auto layers = describe(graph);
  for (const auto& [name, layer] : expected) {
    ASSERT_TRUE(layers.contains(name)) << name;
    EXPECT_EQ(layers.at(name), layer) << name;
  }
  EXPECT_EQ(layers.size(), expected.size());
  EXPECT_EQ(parameter_count(graph), 25'636'712);
  EXPECT_NE(graph.node(graph.find("predictions")).as<Softmax>(), nullptr);
  graph.verify();
}

TEST(Zoo, ResNet50UsesTheEpsilonOfKeras) {
  const Graph graph = build("resnet50", {224, 224});

  int layers = 0;
  for (const Node& node : graph.nodes()) {
    const auto* bn = node.as<BatchNorm>();
    if (bn == nullptr) continue;
    ++layers;
    EXPECT_EQ(bn->epsilon, 1.001e-5) << node.name;
  }
  EXPECT_EQ(layers, 53);
}

TEST(Zoo, ResNet50TakesOtherSizesFromItsMinimum) {
  const Graph graph = build("resnet50", {256, 320});

  EXPECT_EQ(graph.node(graph.find("conv5_block3_out")).outputs[0].shape,
            (Shape{kBatch, 8, 10, 2048}));
  EXPECT_EQ(parameter_count(graph), 25'636'712);
  EXPECT_NO_THROW((void)build("resnet50", {32, 32}));
  EXPECT_THROW((void)build("resnet50", {31, 32}), InvalidArgument);
  EXPECT_THROW((void)build("resnet50", {32, 31}), InvalidArgument);
}

TEST(Zoo, LeNet5HasItsLayersAndWeights) {
  const Graph graph = build("lenet5", {28, 28});

  const std::map<std::string, Layer> expected{
      {"input_layer", {"Input", "28x28x1", "", ""}},
      {"c1", {"Conv2d", "28x28x6", "input_layer", "kernel[5, 5, 1, 6];bias[6]"}},
      {"s2", {"AveragePool", "14x14x6", "c1", ""}},
      {"c3", {"Conv2d", "10x10x16", "s2", "kernel[5, 5, 6, 16];bias[16]"}},
      {"s4", {"AveragePool", "5x5x16", "c3", ""}},
      {"flatten", {"Reshape", "400", "s4", ""}},
      {"c5", {"Dense", "120", "flatten", "kernel[400, 120];bias[120]"}},
      {"f6", {"Dense", "84", "c5", "kernel[120, 84];bias[84]"}},
      {"output", {"Dense", "10", "f6", "kernel[84, 10];bias[10]"}}};
  EXPECT_EQ(describe(graph), expected);
  for (const auto* name : {"c1", "c3", "c5", "f6"}) {
    EXPECT_NE(graph.node(graph.find(name)).as<Tanh>(), nullptr) << name;
  }
  EXPECT_NE(graph.node(graph.find("output")).as<Softmax>(), nullptr);
  EXPECT_EQ(parameter_count(graph), 61'706);
  graph.verify();
  EXPECT_THROW((void)build("lenet5", {32, 32}), InvalidArgument);
}

TEST(Zoo, ListsItsNamesWhereOneIsUnknown) {
  try {
    (void)zoo::find("lenet");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModelNotFound);
    for (const zoo::Model& model : zoo::models()) {
      EXPECT_NE(std::string(error.what()).find(model.name), std::string::npos) << error.what();
    }
  }
}

}  // namespace fovea
