// Weights by the order of the operators.
#include "engine/graph/operator_weights.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/graph.h>

#include "engine/api/model_graph.h"
#include "engine/graph/random_weights.h"
#include "tests/support/errors.h"
#include "tests/support/evaluate_graph.h"

namespace fovea {
namespace {

/// A grouped convolution and two dense layers, as a builder makes them.
Graph network(std::int64_t filters = 6, bool bias = true) {
  GraphBuilder net;
  Tensor x = net.input({5, 4, 4}, "in");
  x = net.conv2d(x, {.filters = filters, .kernel = {3, 2}, .groups = 2, .use_bias = bias}, "conv");
  x = net.flatten(x, "flatten");
  x = net.dense(x, {.units = 5, .activation = ActivationFunction::kRelu}, "fc1");
  net.output(net.dense(x, {.units = 3}, "fc2"));
  return ModelGraphAccess::graph(net.build());
}

/// The same as an importer makes it of a file with channels first: kernels in the operators' own
/// layout, and the picture turned before it is flattened. Its weights count up.
class Imported {
 public:
  Imported() {
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 4, 4}}}, {}, "in");
    const Value conv = graph.add(Conv2d{.groups = 2, .bias = true},
                                 {x, weights("w0", {6, 3, 2, 2}), weights("b0", {6})},
                                 "Conv_0");
    const Value turned = graph.add(Transpose{.perm = {0, 3, 1, 2}}, {conv}, "turned");
    const Value flat = graph.add(Reshape{.shape = {kBatch, 54}}, {turned}, "Flatten_1");
    Value y = graph.add(
        Dense{.bias = true}, {flat, weights("w1", {5, 54}), weights("b1", {5})}, "Gemm_2");
    y = graph.add(Relu{}, {y}, "Relu_3");
    y = graph.add(Dense{.bias = true}, {y, weights("w2", {3, 5}), weights("b2", {3})}, "Gemm_4");
    graph.mark_output(y);
  }

  Graph graph;

 private:
  Value weights(const char* name, const Shape& shape) {
    const auto count = static_cast<std::size_t>(num_elements(shape));
    auto values = std::make_shared<std::vector<float>>(count);
    fill_uniform(name, 1, -1.0, 1.0, *values);
    return graph.add(
        Constant{{DType::kFloat32, shape}, Buffer::view(std::as_bytes(std::span(*values)), values)},
        {},
        name);
  }
};

void expect_refused(Graph graph, const Graph& source, const std::string& part) {
  test::expect_error(
      ErrorCode::kWeightsShapeMismatch, part, [&] { load_weights_by_operator(graph, source); });
  EXPECT_EQ(graph.node(graph.find("fc2/kernel")).as<Constant>()->data, nullptr);
}

TEST(OperatorWeights, GiveTheNetworkTheMeaningOfTheFile) {
  const Imported imported;
  Graph graph = network();
  std::vector<float> picture(5 * 4 * 4);
  fill_uniform("picture", 1, -1.0, 1.0, picture);

  load_weights_by_operator(graph, imported.graph);

  const auto want = test::evaluate_graph(with_batch(imported.graph, 1), {{"in", picture}});
  const auto got = test::evaluate_graph(with_batch(graph, 1), {{"in", picture}});
  EXPECT_EQ(got.at("conv"), want.at("Conv_0"));
  // The dense layer adds up in another order; sums are in double.
  ASSERT_EQ(got.at("fc2").size(), want.at("Gemm_4").size());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(got.at("fc2")[i], want.at("Gemm_4")[i], 1e-5);
}

TEST(OperatorWeights, LeaveKernelsAloneWhereBothFlattenAlike) {
  Graph filled = network();
  fill_random_weights(filled, 1, 1.0);
  Graph source;  // the same nodes with the weights in the operators' own layout
  std::vector<Value> made;
  for (const Node& node : filled.nodes()) {
    std::vector<Value> inputs;
    for (const Value& input : node.inputs)
      inputs.push_back(made.at(static_cast<std::size_t>(input.node)));
    const auto* transpose = node.as<Transpose>();
    if (transpose == nullptr) {
      made.push_back(source.add(node.op, inputs, node.name));
      continue;
    }
    const Constant& kernel = *filled.node(node.inputs[0]).as<Constant>();
    const PinnedBytes bytes_of_kernel = kernel.read();
    std::vector<std::byte> bytes(byte_size(node.outputs[0]));
    const ConstTensorView x{&kernel.desc, bytes_of_kernel.data()};
    const TensorView y{node.outputs.data(), bytes.data()};
    transpose->evaluate({&x, 1}, {&y, 1});
    made.push_back(
        source.add(Constant{node.outputs[0], Buffer::from(std::move(bytes))}, {}, node.name));
  }
  Graph graph = network();

  load_weights_by_operator(graph, source);

  for (const char* name : {"conv/kernel", "conv/bias", "fc1/kernel", "fc1/bias", "fc2/kernel"}) {
    const auto read = [name](const Graph& of) {
      return of.node(of.find(name)).as<Constant>()->read();
    };
    EXPECT_TRUE(std::ranges::equal(read(graph), read(filled))) << name;
  }
}

TEST(OperatorWeights, NameBothSidesOfWhatDiffers) {
  const Imported imported;

  expect_refused(network(8),
                 imported.graph,
                 "number 1 of 3, 'Conv_0' of the file and 'conv' of the model: parameter 1 is "
                 "f32[6,3,2,2] in the file, f32[8,3,2,2] in the model; weights are given by the "
                 "order");
  expect_refused(network(6, false), imported.graph, "and 'conv' of the model: 2 and 1 parameters");
}

TEST(OperatorWeights, NoticeAnotherNumberOfOperators) {
  GraphBuilder net;
  Tensor x = net.input({3}, "in");
  net.output(net.dense(x, {.units = 3}, "fc2"));

  expect_refused(ModelGraphAccess::graph(net.build()),
                 Imported().graph,
                 "the file has 3 convolutions and dense layers, the model 1");
}

TEST(OperatorWeights, NoticeAnotherKindOfOperator) {
  GraphBuilder net;
  Tensor x = net.input({3}, "in");
  x = net.dense(x, {.units = 3}, "fc0");
  x = net.dense(x, {.units = 3}, "fc1");
  net.output(net.dense(x, {.units = 3}, "fc2"));

  expect_refused(ModelGraphAccess::graph(net.build()), Imported().graph, "a Conv2d and a Dense");
}

TEST(OperatorWeights, RefuseBatchNormalisationsOnEitherSide) {
  Imported normalised;
  const Constant constant{{DType::kFloat32, {3}},
                          Buffer::from(std::vector<std::byte>(3 * sizeof(float)))};
  std::vector<Value> inputs{{normalised.graph.find("Gemm_4"), 0}};
  for (const char* name : {"gamma", "beta", "mean", "variance"}) {
    inputs.push_back(normalised.graph.add(constant, {}, name));
  }
  (void)normalised.graph.add(BatchNorm{}, inputs, "Norm_5");
  expect_refused(network(), normalised.graph, "the file has a batch normalisation, 'Norm_5'");

  GraphBuilder net;
  Tensor x = net.input({3}, "in");
  x = net.dense(x, {.units = 3}, "fc2");
  net.output(net.batch_norm(x, {}, "norm"));
  expect_refused(ModelGraphAccess::graph(net.build()),
                 Imported().graph,
                 "the model has a batch normalisation, 'norm'");
}

TEST(OperatorWeights, RefuseToGuessWhatOneSideFlattens) {
  // 3 x 3 x 6 features in a row from the start: in which order cannot be told.
  Graph source;
  const auto weights = [&](const char* name, const Shape& shape) {
    const TensorDesc desc{DType::kFloat32, shape};
    return source.add(
        Constant{desc, Buffer::from(std::vector<std::byte>(byte_size(desc)))}, {}, name);
  };
  const Value picture = source.add(Input{{DType::kFloat32, {kBatch, 5, 4, 4}}}, {}, "picture");
  (void)source.add(Conv2d{.groups = 2, .bias = true},
                   {picture, weights("w0", {6, 3, 2, 2}), weights("b0", {6})},
                   "Conv_0");
  const Value flat = source.add(Input{{DType::kFloat32, {kBatch, 54}}}, {}, "flat");
  const Value y =
      source.add(Dense{.bias = true}, {flat, weights("w1", {5, 54}), weights("b1", {5})}, "Gemm_1");
  source.mark_output(
      source.add(Dense{.bias = true}, {y, weights("w2", {3, 5}), weights("b2", {3})}, "Gemm_2"));

  expect_refused(
      network(), source, "'Gemm_1' of the file and 'fc1/pre_activation' of the model: only one of");
}

TEST(OperatorWeights, RefuseParametersThatAreComputed) {
  const Imported imported;
  Graph graph = network();
  Graph source = network();  // its kernels lie behind a Transpose, and have no data
  expect_refused(graph, source, "parameter 1 is computed, not stored");
}

}  // namespace
}  // namespace fovea
