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

}  // namespace
}  // namespace fovea
