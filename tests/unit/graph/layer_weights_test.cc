// Weights by the order of the layers.
#include "engine/graph/layer_weights.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/graph.h>

#include "engine/api/model_graph.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

/// Two convolutions side by side whose shapes are the same, and a dense layer behind both: the
/// order is stem, bn, left, right, out, though right is built first.
Graph branches() {
  GraphBuilder net;
  Tensor x = net.input({4, 4, 2}, "in");
  x = net.conv2d(x, {.filters = 3, .kernel = {1, 1}}, "conv2d_4");
  x = net.batch_norm(x, {}, "bn");
  const Tensor right = net.conv2d(x, {.filters = 3, .use_bias = false}, "conv2d_5");
  const Tensor left = net.conv2d(x, {.filters = 3, .use_bias = false}, "conv2d_6");
  x = net.concatenate({left, right}, "concat");
  x = net.flatten(x, "flatten");
  net.output(net.dense(x, {.units = 2}, "out"));
  return ModelGraphAccess::graph(net.build());
}

/// Every element is `value`.
StoredTensor tensor(std::string name, Shape shape, float value) {
  const TensorDesc desc{DType::kFloat32, std::move(shape)};
  const auto count = static_cast<std::size_t>(num_elements(desc.shape));
  auto values = std::make_shared<std::vector<float>>(count, value);
  return {std::move(name), desc, Buffer::view(std::as_bytes(std::span(*values)), values)};
}

std::vector<StoredLayer> right_file() {
  return {{"input_1", {}},
          {"conv2d_1", {tensor("k", {1, 1, 2, 3}, 1), tensor("b", {3}, 2)}},
          {"bn",
           {tensor("gamma", {3}, 3),
            tensor("beta", {3}, 4),
            tensor("moving_mean", {3}, 5),
            tensor("moving_variance", {3}, 6)}},
          {"conv2d_3", {tensor("k", {1, 1, 3, 3}, 7)}},
          {"conv2d_2", {tensor("k", {1, 1, 3, 3}, 8)}},
          {"flatten", {}},
          {"out", {tensor("k", {96, 2}, 9), tensor("b", {2}, 10)}}};
}

/// The first element of the parameter; -1 where it has none yet.
float value_of(const Graph& graph, const char* name) {
  const auto* constant = graph.node(graph.find(name)).as<Constant>();
  return constant->data == nullptr ? -1
                                   : *reinterpret_cast<const float*>(constant->data->read().data());
}

/// Loads, which must fail so, and leave the graph as it was.
void expect_refused(const std::vector<StoredLayer>& stored, const std::string& part) {
  Graph graph = branches();
  test::expect_error(
      ErrorCode::kWeightsShapeMismatch, part, [&] { (void)load_weights_in_order(graph, stored); });
  test::expect_error(ErrorCode::kWeightsShapeMismatch, "use a file of this very model", [&] {
    (void)load_weights_in_order(graph, stored);
  });
  EXPECT_EQ(value_of(graph, "conv2d_4/kernel"), -1) << part;
  EXPECT_EQ(value_of(graph, "out/bias"), -1) << part;
}

TEST(LayerWeights, GoByTheOrderOfTheLayersAndOfTheirTensors) {
  Graph graph = branches();

  const std::string warning = load_weights_in_order(graph, right_file());

  EXPECT_EQ(warning, "");
  const std::vector<std::pair<const char*, float>> wanted{{"conv2d_4/kernel", 1},
                                                          {"conv2d_4/bias", 2},
                                                          {"bn/gamma", 3},
                                                          {"bn/beta", 4},
                                                          {"bn/moving_mean", 5},
                                                          {"bn/moving_variance", 6},
                                                          {"conv2d_6/kernel", 7},
                                                          {"conv2d_5/kernel", 8},
                                                          {"out/kernel", 9},
                                                          {"out/bias", 10}};
  for (const auto& [name, value] : wanted) EXPECT_EQ(value_of(graph, name), value) << name;
}

TEST(LayerWeights, MayHaveAnyNames) {
  Graph graph = branches();
  std::vector<StoredLayer> stored = right_file();
  for (StoredLayer& layer : stored) layer.name = "the same for all";

  EXPECT_EQ(load_weights_in_order(graph, stored), "");

  EXPECT_EQ(value_of(graph, "conv2d_6/kernel"), 7);
}

TEST(LayerWeights, WarnOfNamesInAnotherOrderAndStillGoByOrder) {
  Graph graph = branches();
  std::vector<StoredLayer> stored = right_file();
  std::swap(stored[3].name, stored[4].name);  // sorted by number, as no Keras would

  const std::string warning = load_weights_in_order(graph, stored);

  EXPECT_NE(warning.find("layer 3 with weights is 'conv2d_2', in the model 'conv2d_6'"),
            std::string::npos)
      << warning;
  EXPECT_EQ(value_of(graph, "conv2d_6/kernel"), 7);
}

TEST(LayerWeights, NameBothSidesOfAShapeThatDiffers) {
  std::vector<StoredLayer> stored = right_file();
  stored[1].tensors[0] = tensor("conv2d_1/kernel:0", {3, 3, 2, 3}, 1);

  expect_refused(stored,
                 "layer 1 of 5, 'conv2d_1' of the file and 'conv2d_4' of the model: "
                 "'conv2d_1/kernel:0' is f32[3,3,2,3], the model's 'conv2d_4/kernel' "
                 "f32[1,1,2,3]");
}

TEST(LayerWeights, NoticeLayersThatAreSwapped) {
  std::vector<StoredLayer> stored = right_file();
  std::swap(stored[1], stored[2]);

  expect_refused(stored, "layer 1 of 5, 'bn' of the file and 'conv2d_4' of the model: 4 tensors");
}

TEST(LayerWeights, NoticeTensorsThatAreSwapped) {
  std::vector<StoredLayer> stored = right_file();
  std::swap(stored[6].tensors[0], stored[6].tensors[1]);

  expect_refused(stored, "layer 5 of 5, 'out' of the file and 'out' of the model: 'b' is f32[2]");
}

TEST(LayerWeights, NoticeLayersThatAreMissingOrTooMany) {
  std::vector<StoredLayer> without_top = right_file();
  without_top.pop_back();
  expect_refused(without_top,
                 "the file has 4 layers with weights, the model 5; the first that has no "
                 "counterpart is 'out' of the model");

  std::vector<StoredLayer> one_more = right_file();
  one_more.push_back({"more", {tensor("k", {1}, 1)}});
  expect_refused(one_more, "the first that has no counterpart is 'more' of the file");

  expect_refused({}, "the file has 0 layers with weights, the model 5");
}

TEST(LayerWeights, NoticeAnotherElementType) {
  std::vector<StoredLayer> stored = right_file();
  StoredTensor& bias = stored[1].tensors[1];
  bias.desc.dtype = DType::kInt32;

  expect_refused(stored, "'b' is i32[3]");
}

}  // namespace
}  // namespace fovea
