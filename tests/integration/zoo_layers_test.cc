// The zoo's networks, layer by layer, against tables that were traced from Keras's own sources.
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/graph/graph.h"
#include "engine/graph/work.h"
#include "models/builders/zoo.h"
#include "tests/integration/describe_layers.h"
#include "tests/integration/zoo_table.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::Layer;

/// Our operator for a class of Keras.
const std::map<std::string, std::string>& operators() {
  static const std::map<std::string, std::string> kTable{{"InputLayer", "Input"},
                                                         {"ZeroPadding2D", "Pad"},
                                                         {"Conv2D", "Conv2d"},
                                                         {"SeparableConv2D", "Conv2d"},
                                                         {"BatchNormalization", "BatchNorm"},
                                                         {"Activation", "Relu"},
                                                         {"MaxPooling2D", "MaxPool"},
                                                         {"AveragePooling2D", "AveragePool"},
                                                         {"Add", "Add"},
                                                         {"Concatenate", "Concat"},
                                                         {"Flatten", "Reshape"},
                                                         {"GlobalAveragePooling2D", "GlobalPool"},
                                                         {"Dense", "Dense"}};
  return kTable;
}

/// The attributes that settings_of gives too; act=relu becomes an operator.
void read_attributes(const std::string& attributes, Layer& layer) {
  std::istringstream words(attributes);
  for (std::string word; words >> word;) {
    const bool has_number = word.size() > 1 && word[1] >= '0' && word[1] <= '9';
    if ((has_number && (word[0] == 'k' || word[0] == 's'))) layer.settings.insert(word);
    if (word == "eps=1.001e-05" || word == "eps=0.001") layer.settings.insert(word);
    if (word == "sep") layer.settings.insert({"k1x1", "s1"});  // the pointwise half
    if (word == "act=relu") layer.operators.insert("Relu");
    if (word == "act=softmax") layer.operators.insert("Softmax");
  }
}

struct Table {
  std::map<std::string, Layer> layers;
  std::int64_t multiply_adds = 0;
};

Table read_table(const std::filesystem::path& path) {
  Table table;
  for (const std::vector<std::string>& cells : test::read_zoo_table(path)) {
    Layer& layer = table.layers[cells[1]];
    layer = {{operators().at(cells[2])}, cells[3], {}, cells[7], cells[8], std::stoll(cells[4])};
    read_attributes(cells[6], layer);
    table.multiply_adds += std::stoll(cells[5]);
  }
  return table;
}

struct Network {
  std::string_view name;
  std::string_view table;
  std::int64_t side;
  std::size_t layers;
  std::int64_t parameters;
};

std::ostream& operator<<(std::ostream& stream, const Network& network) {
  return stream << network.name;
}

class ZooLayers : public test::SharedDataTest, public testing::WithParamInterface<Network> {};

TEST_P(ZooLayers, AreThoseOfKeras) {
  const Network& network = GetParam();
  const Table expected =
      read_table(shared_ / "design" / "zoo" / (std::string(network.table) + ".tsv"));
  ASSERT_EQ(expected.layers.size(), network.layers);

  const Graph graph =
      ModelGraphAccess::graph(zoo::find(network.name).build({network.side, network.side}));

  const auto layers = test::describe_layers(graph);
  std::int64_t parameters = 0;
  for (const auto& [name, layer] : expected.layers) {
    ASSERT_TRUE(layers.contains(name)) << name;
    EXPECT_EQ(layers.at(name), layer) << name;
    parameters += layers.at(name).parameters;
  }
  EXPECT_EQ(layers.size(), expected.layers.size());
  EXPECT_EQ(parameters, network.parameters);
  EXPECT_EQ(multiply_adds(graph), expected.multiply_adds);
  graph.verify();
}

INSTANTIATE_TEST_SUITE_P(Keras,
                         ZooLayers,
                         testing::Values(Network{"vgg16", "VGG16", 224, 23, 138'357'544},
                                         Network{"vgg19", "VGG19", 224, 26, 143'667'240},
                                         Network{"resnet50", "ResNet50", 224, 177, 25'636'712},
                                         Network{
                                             "inception_v3", "InceptionV3", 299, 313, 23'851'784},
                                         Network{"xception", "Xception", 299, 134, 22'910'480}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
