// The zoo's networks: sizes, parameters, errors.
#include "models/builders/zoo.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/api/model_graph.h"
#include "engine/graph/graph.h"
#include "tests/integration/describe_layers.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

/// Elements of all weights that are to be filled.
std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const Node& node : graph.nodes()) {
    const auto* constant = node.as<Constant>();
    if (constant != nullptr && constant->data == nullptr) {
      count += num_elements(node.outputs[0].shape);
    }
  }
  return count;
}

Graph build(std::string_view name, zoo::InputSize size) {
  return ModelGraphAccess::graph(zoo::find(name).build(size));
}

}  // namespace

/// What is known of a network without any table: from published totals.
struct Facts {
  std::string_view name;
  std::int64_t side;  // of its own input
  std::int64_t parameters;
  std::size_t batch_norms;
  double epsilon;
};

const std::vector<Facts>& imagenet_networks() {
  static const std::vector<Facts> kFacts{
      {"vgg16", 224, 138'357'544, 0, 0},
      {"vgg19", 224, 143'667'240, 0, 0},
      {"resnet50", 224, 25'636'712, 53, 1.001e-5},
      {"inception_v3", 299, 23'851'784, 94, 1e-3},
      {"xception", 299, 22'910'480, 40, 1e-3},
      {"alexnet", 224, 60'965'224, 0, 0},
      {"googlenet", 224, 6'998'552, 0, 0},
  };
  return kFacts;
}

TEST(Zoo, HasThePublishedParametersAndClasses) {
  for (const Facts& facts : imagenet_networks()) {
    const Graph graph = build(facts.name, {facts.side, facts.side});

    EXPECT_EQ(parameter_count(graph), facts.parameters) << facts.name;
    EXPECT_EQ(graph.desc(graph.outputs()[0].value).shape, (Shape{kBatch, 1000})) << facts.name;
    EXPECT_NE(graph.node(graph.outputs()[0].value).as<Softmax>(), nullptr) << facts.name;
    std::size_t batch_norms = 0;
    for (const Node& node : graph.nodes()) {
      const auto* bn = node.as<BatchNorm>();
      if (bn == nullptr) continue;
      ++batch_norms;
      EXPECT_EQ(bn->epsilon, facts.epsilon) << facts.name << ' ' << node.name;
    }
    EXPECT_EQ(batch_norms, facts.batch_norms) << facts.name;
    graph.verify();
  }
}

TEST(Zoo, TakesOtherSizesFromAMinimum) {
  struct Smallest {
    std::string_view name;
    std::int64_t side;
    std::string_view last;  // feature map
    Shape at_smallest;
    Shape at_256x320;
  };

  const std::vector<Smallest> networks{
      {"resnet50", 32, "conv5_block3_out", {kBatch, 1, 1, 2048}, {kBatch, 8, 10, 2048}},
      {"inception_v3", 75, "mixed10", {kBatch, 1, 1, 2048}, {kBatch, 6, 8, 2048}},
      {"xception", 71, "block14_sepconv2_act", {kBatch, 3, 3, 2048}, {kBatch, 8, 10, 2048}},
  };
  for (const Smallest& network : networks) {
    SCOPED_TRACE(network.name);
    const std::int64_t side = network.side;
    const auto last = [&network](zoo::InputSize size) {
      const Graph graph = build(network.name, size);
      return graph.node(graph.find(network.last)).outputs[0].shape;
    };
    EXPECT_EQ(last({side, side}), network.at_smallest);
    EXPECT_EQ(last({256, 320}), network.at_256x320);
    const std::string sides = std::to_string(side) + " x " + std::to_string(side);
    test::expect_error(ErrorCode::kArgumentInvalid, sides, [&] { (void)last({side - 1, side}); });
    test::expect_error(ErrorCode::kArgumentInvalid, sides, [&] { (void)last({side, side - 1}); });
  }
}

TEST(Zoo, SaysWhyASizeIsFixed) {
  struct Fixed {
    std::string_view name;
    std::int64_t side;
    std::string why;
  };

  for (const Fixed& fixed : {Fixed{"vgg16", 224, "fc1"},
                             {"vgg19", 224, "fc1"},
                             {"alexnet", 224, "fc6"},
                             {"googlenet", 224, "pooling"},
                             {"lenet5", 28, "dense"}}) {
    SCOPED_TRACE(fixed.name);
    const std::int64_t side = fixed.side;
    const std::string sides = std::to_string(side) + " x " + std::to_string(side);
    for (const zoo::InputSize size : {zoo::InputSize{side + 1, side}, {side, side - 1}}) {
      const auto wrong = [&] { (void)build(fixed.name, size); };
      test::expect_error(ErrorCode::kArgumentInvalid, sides, wrong);
      test::expect_error(ErrorCode::kArgumentInvalid, fixed.why, wrong);
    }
  }
}

TEST(Zoo, LeNet5HasItsLayersAndWeights) {
  const Graph graph = build("lenet5", {28, 28});

  const std::map<std::string, test::Layer> expected{
      {"input_layer", {{"Input"}, "28x28x1", {}, "", "", 0}},
      {"c1",
       {{"Conv2d", "Tanh"},
        "28x28x6",
        {"k5x5", "s1"},
        "input_layer",
        "kernel[5, 5, 1, 6];bias[6]",
        156}},
      {"s2", {{"AveragePool"}, "14x14x6", {"k2", "s2"}, "c1", "", 0}},
      {"c3",
       {{"Conv2d", "Tanh"},
        "10x10x16",
        {"k5x5", "s1"},
        "s2",
        "kernel[5, 5, 6, 16];bias[16]",
        2'416}},
      {"s4", {{"AveragePool"}, "5x5x16", {"k2", "s2"}, "c3", "", 0}},
      {"flatten", {{"Reshape"}, "400", {}, "s4", "", 0}},
      {"c5", {{"Dense", "Tanh"}, "120", {}, "flatten", "kernel[400, 120];bias[120]", 48'120}},
      {"f6", {{"Dense", "Tanh"}, "84", {}, "c5", "kernel[120, 84];bias[84]", 10'164}},
      {"output", {{"Dense", "Softmax"}, "10", {}, "f6", "kernel[84, 10];bias[10]", 850}}};
  EXPECT_EQ(test::describe_layers(graph), expected);
  EXPECT_EQ(parameter_count(graph), 61'706);
  graph.verify();
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
