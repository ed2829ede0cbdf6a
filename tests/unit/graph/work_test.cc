#include "engine/graph/work.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fovea {
namespace {

Value weights(Graph& graph, const Shape& shape, const std::string& name) {
  return graph.add(Constant{.desc = {DType::kFloat32, shape}, .data = nullptr}, {}, name);
}

TEST(MultiplyAdds, CountsOnePictureOfConvolutionsAndDenseLayers) {
  Graph graph;
  Value x = graph.add(Input{{DType::kFloat32, {kBatch, 10, 8, 4}}}, {}, "x");
  x = graph.add(Conv2d{.strides = {2, 2}, .pads = {1, 1, 1, 1}},
                {x, weights(graph, {6, 3, 3, 4}, "w1")},
                "convolution");
  x = graph.add(Relu{}, {x}, "relu");
  x = graph.add(Conv2d{.groups = 2}, {x, weights(graph, {8, 1, 1, 3}, "w2")}, "grouped");
  x = graph.add(Reshape{{kBatch, 160}}, {x}, "flat");
  x = graph.add(Dense{}, {x, weights(graph, {7, 160}, "w3")}, "dense");
  graph.mark_output(x);

  const std::int64_t convolution = std::int64_t{5} * 4 * 6 * (3 * 3 * 4);
  const std::int64_t grouped = std::int64_t{5} * 4 * 8 * 3;
  const std::int64_t dense = std::int64_t{7} * 160;
  EXPECT_EQ(multiply_adds(graph), convolution + grouped + dense);
}

TEST(MultiplyAdds, AreNoneWithoutSuchLayers) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  graph.mark_output(graph.add(Softmax{}, {x}, "softmax"));

  EXPECT_EQ(multiply_adds(graph), 0);
}

/// Operations of a node with this operator on one input.
std::int64_t flops_of(Op op, const Shape& x) {
  Graph graph;
  const Value input = graph.add(Input{{DType::kFloat32, x}}, {}, "x");
  const Value y = graph.add(std::move(op), {input}, "y");
  return flops(graph, graph.node(y));
}

TEST(Flops, OfSmallOperatorsAreCountedByElements) {
  const Shape picture{2, 6, 4, 3};  // 144 elements
  EXPECT_EQ(flops_of(Relu{}, picture), 144);
  EXPECT_EQ(flops_of(MaxPool{.kernel = {3, 2}, .strides = {3, 2}}, picture), 2 * 2 * 2 * 3 * 6);
  EXPECT_EQ(flops_of(AveragePool{.kernel = {2, 2}, .strides = {2, 2}}, picture), 144);
  EXPECT_EQ(flops_of(GlobalPool{}, picture), 144);
  EXPECT_EQ(flops_of(Lrn{.size = 5}, picture), 144 * 10);
  EXPECT_EQ(flops_of(Softmax{}, {2, 7}), 42);
  EXPECT_EQ(flops_of(TopK{2}, {2, 7}), 14);
  EXPECT_EQ(flops_of(TopK{.k = 2, .softmax = true}, {2, 7}), 56);
  EXPECT_EQ(flops_of(Identity{}, picture), 0);
  EXPECT_EQ(flops_of(Slice{.axis = 3, .begin = 1, .size = 1}, picture), 0);
}

TEST(Flops, OfAConvolutionCountWhatItFused) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {2, 3, 3, 4}}}, {}, "x");
  const Value w = weights(graph, {4, 1, 1, 4}, "w");
  const Value b = weights(graph, {4}, "b");
  const Activation relu{.kind = ActivationKind::kRelu};
  const Value bare = graph.add(Conv2d{}, {x, w}, "bare");
  const Value full =
      graph.add(Conv2d{.bias = true, .residual = true, .activation = relu}, {x, w, b, x}, "full");

  EXPECT_EQ(flops(graph, graph.node(bare)), 72 * 8);
  EXPECT_EQ(flops(graph, graph.node(full)), 72 * (8 + 3));
  const Value some =
      graph.add(Conv2d{.activation = relu, .activation_channels = 3}, {x, w}, "some");
  EXPECT_EQ(flops(graph, graph.node(some)), 72 * 8 + 18 * 3);
}

TEST(Flops, OfASeparableConvolutionAreThoseOfItsParts) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {2, 6, 4, 5}}}, {}, "x");
  const Value taps = weights(graph, {5, 3, 3, 1}, "taps");
  const Value filters = weights(graph, {7, 1, 1, 5}, "filters");
  const Conv2d depthwise{.strides = {2, 1}, .pads = {1, 1, 1, 1}, .groups = 5};
  const Conv2d pointwise{.activation = {.kind = ActivationKind::kRelu}};
  const Value between = graph.add(depthwise, {x, taps}, "between");
  const Value apart = graph.add(pointwise, {between, filters}, "apart");
  const Value both = graph.add(SeparableConv2d{depthwise, pointwise}, {x, taps, filters}, "both");

  EXPECT_EQ(flops(graph, graph.node(both)),
            flops(graph, graph.node(between)) + flops(graph, graph.node(apart)));
  EXPECT_EQ(flops(graph, graph.node(both)), 2 * 12 * (5 * 18 + 7 * (10 + 1)));
  // Of one picture, once each.
  EXPECT_EQ(multiply_adds(graph), 2 * 12 * (5 * 9 + 7 * 5));
}

}  // namespace
}  // namespace fovea
