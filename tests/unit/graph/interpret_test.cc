// Graphs by definition, and how far tensors are apart.
#include "engine/graph/interpret.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/graph/random_inputs.h"
#include "engine/graph/tensor_difference.h"

namespace fovea {
namespace {

TensorBytes bytes_of(const std::vector<float>& values) {
  TensorBytes bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<float> floats_of(const TensorBytes& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TensorDifference apart(const std::vector<float>& a, const std::vector<float>& b) {
  const TensorDesc desc{DType::kFloat32, {static_cast<std::int64_t>(a.size())}};
  const TensorBytes left = bytes_of(a);
  const TensorBytes right = bytes_of(b);
  return difference({&desc, left.data()}, {&desc, right.data()});
}

TEST(Interpret, GivesOutputsInTheirOrder) {
  Graph graph;
  const TensorDesc desc{DType::kFloat32, {1, 2}};
  const Value a = graph.add(Input{desc}, {}, "a");
  const Value b = graph.add(Input{desc}, {}, "b");
  const Value sum = graph.add(Add{}, {a, b}, "sum");
  const Value relu = graph.add(Relu{}, {sum}, "relu");
  graph.mark_output(relu);
  graph.mark_output(a);
  graph.mark_output(sum);
  const std::vector<TensorBytes> inputs{bytes_of({1, 2}), bytes_of({-3, 4})};

  const auto outputs = evaluate_graph(graph, inputs);

  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(floats_of(outputs[0]), (std::vector<float>{0, 6}));
  EXPECT_EQ(floats_of(outputs[1]), (std::vector<float>{1, 2}));
  EXPECT_EQ(floats_of(outputs[2]), (std::vector<float>{-2, 6}));
  EXPECT_THROW((void)evaluate_graph(graph, std::span(inputs).first(1)), InvalidArgument);
}

TEST(RandomInputs, DependOnNameAndSeedAlone) {
  Graph graph;
  graph.add(Input{{DType::kUInt8, {64}}}, {}, "pixels");
  graph.add(Input{{DType::kFloat32, {64}}}, {}, "x");

  const auto inputs = random_inputs(graph, 1);

  EXPECT_EQ(inputs, random_inputs(graph, 1));
  EXPECT_NE(inputs[0], random_inputs(graph, 2)[0]);
  for (const float value : floats_of(inputs[1])) {
    EXPECT_GE(value, -1);
    EXPECT_LT(value, 1);
  }
}

TEST(TensorDifference, IsRelativeToTheFirstTensor) {
  const TensorDifference got = apart({1, -4, 2}, {1, -4.5F, 2.25F});

  EXPECT_EQ(got.max_abs, 0.5);
  EXPECT_EQ(got.max_rel, 0.125);
  EXPECT_NEAR(got.cosine, 23.5 / std::sqrt(21 * (1 + 4.5 * 4.5 + 2.25 * 2.25)), 1e-12);
}

TEST(TensorDifference, KnowsWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();

  EXPECT_EQ(apart({nan, infinity, 1}, {nan, infinity, 1}).max_abs, 0);
  EXPECT_EQ(apart({nan, 1}, {0, 1}).max_abs, infinity);
  EXPECT_EQ(apart({0, 1}, {nan, 1}).max_abs, infinity);
  EXPECT_EQ(apart({infinity, 1}, {-infinity, 1}).max_abs, infinity);
  EXPECT_EQ(apart({0, 0}, {0, 0}).cosine, 1);
  EXPECT_EQ(apart({0, 0}, {1, 0}).cosine, 0);
  EXPECT_EQ(apart({0, 0}, {0.5F, 0}).max_rel, 0.5);
}

TEST(RandomInputs, AreSquaresForAResizeImage) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {3 * 2 * 25 + 5}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {2, 3}}}, {}, "table");
  const PreprocessSpec spec{.height = 4, .width = 4};
  graph.mark_output(graph.add(ResizeImage{spec}, {pixels, table}, "resized"));

  const auto inputs = random_inputs(graph, 1);

  const std::array<std::int64_t, 6> rows{5, 5, 0, 5, 5, 75};
  ASSERT_EQ(inputs[1].size(), sizeof(rows));
  EXPECT_EQ(std::memcmp(inputs[1].data(), rows.data(), sizeof(rows)), 0);
  EXPECT_EQ(evaluate_graph(graph, inputs)[0].size(), 2U * 4 * 4 * 3);
}

}  // namespace
}  // namespace fovea
