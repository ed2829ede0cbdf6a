// The layers of the zoo's networks in Keras's order, against tables that were traced from Keras.
#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/core/require.h"
#include "engine/graph/layers.h"
#include "models/builders/zoo.h"
#include "tests/integration/zoo_table.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

std::string join(const Shape& shape, std::size_t from, const char* separator) {
  std::string text;
  for (std::size_t i = from; i < shape.size(); ++i) {
    text += (i == from ? "" : separator) + std::to_string(shape[i]);
  }
  return text;
}

/// The layers as lines of name, class, shape, number of parameters, inputs, weights.
std::vector<std::string> lines(const Graph& graph) {
  const std::vector<Layer> all = layers(graph);
  std::vector<std::string> lines;
  for (const Layer& layer : all) {
    const Node& result = graph.node(layer.result);
    std::string weights;
    std::int64_t count = 0;
    for (const NodeId id : layer.parameters) {
      const Node& parameter = graph.node(id);
      const Shape& shape = parameter.outputs[0].shape;
      count += num_elements(shape);
      weights += (weights.empty() ? "" : ";") + parameter.name.substr(result.name.size() + 1) +
                 '[' + join(shape, 0, ", ") + ']';
    }
    std::string inputs;
    for (const LayerInput& input : layer.inputs) {
      inputs += (inputs.empty() ? "" : ",") + graph.node(all.at(input.layer).result).name;
    }
    lines.push_back(cat(result.name,
                        '\t',
                        layer.type,
                        '\t',
                        join(result.outputs[0].shape, 1, "x"),
                        '\t',
                        count,
                        '\t',
                        inputs,
                        '\t',
                        weights));
  }
  return lines;
}

/// The same of a table.
std::vector<std::string> lines(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  for (const std::vector<std::string>& cells : test::read_zoo_table(path)) {
    lines.push_back(cells[1] + '\t' + cells[2] + '\t' + cells[3] + '\t' + cells[4] + '\t' +
                    cells[7] + '\t' + cells[8]);
  }
  return lines;
}

Graph build(std::string_view name, zoo::InputSize size) {
  return ModelGraphAccess::graph(zoo::find(name).build(size));
}

struct Network {
  std::string_view name;
  std::string_view table;
  std::int64_t side;
  bool chain;
};

std::ostream& operator<<(std::ostream& stream, const Network& network) {
  return stream << network.name;
}

class ZooLayerOrder : public test::SharedDataTest, public testing::WithParamInterface<Network> {};

TEST_P(ZooLayerOrder, IsThatOfKeras) {
  const Network& network = GetParam();
  const std::vector<std::string> expected =
      lines(shared_ / "design" / "zoo" / (std::string(network.table) + ".tsv"));
  ASSERT_GT(expected.size(), 20U);

  const Graph graph = build(network.name, {network.side, network.side});

  EXPECT_EQ(lines(graph), expected);
  EXPECT_EQ(is_chain(layers(graph)), network.chain);
}

INSTANTIATE_TEST_SUITE_P(Keras,
                         ZooLayerOrder,
                         testing::Values(Network{"vgg16", "VGG16", 224, true},
                                         Network{"vgg19", "VGG19", 224, true},
                                         Network{"resnet50", "ResNet50", 224, false},
                                         Network{"inception_v3", "InceptionV3", 299, false},
                                         Network{"xception", "Xception", 299, false}),
                         testing::PrintToStringParamName());

TEST(LeNet5Layers, AreAChainWithoutAnInputLayer) {
  const Graph graph = build("lenet5", {28, 28});

  EXPECT_EQ(
      lines(graph),
      (std::vector<std::string>{"c1\tConv2D\t28x28x6\t156\t\tkernel[5, 5, 1, 6];bias[6]",
                                "s2\tAveragePooling2D\t14x14x6\t0\tc1\t",
                                "c3\tConv2D\t10x10x16\t2416\ts2\tkernel[5, 5, 6, 16];bias[16]",
                                "s4\tAveragePooling2D\t5x5x16\t0\tc3\t",
                                "flatten\tFlatten\t400\t0\ts4\t",
                                "c5\tDense\t120\t48120\tflatten\tkernel[400, 120];bias[120]",
                                "f6\tDense\t84\t10164\tc5\tkernel[120, 84];bias[84]",
                                "output\tDense\t10\t850\tf6\tkernel[84, 10];bias[10]"}));
  EXPECT_TRUE(is_chain(layers(graph)));
}

}  // namespace
}  // namespace fovea
