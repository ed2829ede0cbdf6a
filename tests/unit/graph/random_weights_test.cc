// Vectors computed by an independent program (NumPy) from the definition in the header.
#include "engine/graph/random_weights.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/core/digest.h"

namespace fovea {
namespace {

struct Vector {
  std::string_view name;
  std::uint64_t seed;
  double lo, hi;
  std::array<std::uint64_t, 3> bits;
  std::array<float, 4> values;
};

const std::array<Vector, 5>& vectors() {
  static const std::array<Vector, 5> kTable{{
      {"block1_conv1/kernel",
       1,
       -std::sqrt(6.0 / 27),
       std::sqrt(6.0 / 27),
       {0x3159e4094950b783, 0x8f373b45e6806a0b, 0xfffa4d47418d988d},
       {-0.289651811F, 0.0560372695F, 0.471322536F, 0.370194048F}},
      {"block1_conv1/bias",
       0,
       -0.05,
       0.05,
       {0xff2da242d657fbd1, 0x35b4c1fdb3d3b878, 0x1c00aceb12092f67},
       {0.0496790037F, -0.0290210657F, -0.0390614755F, -0.0320006683F}},
      {"conv2d_93/kernel",
       2,
       -std::sqrt(6.0 / 2048),
       std::sqrt(6.0 / 2048),
       {0x05e298ca84c12c63, 0x8deae7e695905f35, 0x8382912b6f44473f},
       {-0.0516379774F, 0.00588524621F, 0.00148426311F, -0.0176458918F}},
      {"bn_ü/gamma",
       7,
       0.1,
       0.3,
       {0xfb98de1821b7bbe5, 0x90b8952303139916, 0xed12bc027262393a},
       {0.296560258F, 0.2130633F, 0.285213411F, 0.221766725F}},
      {"input/0",
       std::numeric_limits<std::uint64_t>::max(),
       -1,
       1,
       {0x2bdec9371caccbac, 0xfed841164dcc39b2, 0x1b4bbd4db866de02},
       {-0.657263637F, 0.990974545F, -0.786751151F, 0.245843649F}},
  }};
  return kTable;
}

std::string picture_hash(int width, int height, std::uint64_t seed) {
  const std::vector<std::uint8_t> pixels = formula_image(width, height, seed);
  return sha256(std::as_bytes(std::span(pixels)));
}

/// The values of a filled parameter.
std::vector<float> values_of(const Graph& graph, std::string_view name) {
  const auto* constant = graph.node(graph.find(name)).as<Constant>();
  if (constant == nullptr || constant->data == nullptr) return {};
  std::vector<float> values(constant->data->size() / sizeof(float));
  std::memcpy(values.data(), constant->data->read().data(), constant->data->size());
  return values;
}

std::vector<float> expected(
    std::string_view name, std::size_t count, double lo, double hi, std::uint64_t seed = 3) {
  std::vector<float> values(count);
  fill_uniform(name, seed, lo, hi, values);
  return values;
}

std::vector<float> around_zero(std::string_view name, std::size_t count, double limit) {
  return expected(name, count, -limit, limit);
}

Value parameter(Graph& graph, const std::string& name, Shape shape) {
  return graph.add(
      Constant{.desc = {DType::kFloat32, std::move(shape)}, .data = nullptr}, {}, name);
}

Value picture(Graph& graph, Shape shape) {
  return graph.add(Input{{DType::kFloat32, std::move(shape)}}, {}, "input");
}

}  // namespace

TEST(RandomWeights, HashesNames) {
  EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a64("formula"), 0xc92309e20ab0cdddU);
  EXPECT_EQ(fnv1a64("bn_ü/gamma"), 0xd8df6921e32ec197U);
}

TEST(RandomWeights, MakesTheBitsAndValuesOfTheDefinition) {
  for (const Vector& vector : vectors()) {
    for (std::size_t i = 0; i < vector.bits.size(); ++i) {
      EXPECT_EQ(random_bits(vector.name, vector.seed, i), vector.bits[i])
          << vector.name << ' ' << i;
    }
    std::array<float, 4> values{};
    fill_uniform(vector.name, vector.seed, vector.lo, vector.hi, values);
    EXPECT_EQ(values, vector.values) << vector.name;
  }
}

TEST(RandomWeights, MakesFormulaPictures) {
  EXPECT_EQ(picture_hash(224, 224, 1),
            "2ceaf694e720a3aaa8625f01fc9267b7cf9a46c542277f99c4f020359b363a59");
  EXPECT_EQ(picture_hash(299, 299, 2),
            "a1f4bd3a1151e4e228f4a1638f73620ee76bd14f225febb1b62212e3bd669a24");
  EXPECT_THROW((void)formula_image(0, 5, 1), InvalidArgument);
}

TEST(FillRandomWeights, TakesTheRangeFromTheRole) {
  Graph graph;
  Value x = picture(graph, {kBatch, 8, 8, 4});
  const Value stored = parameter(graph, "conv/kernel", {3, 5, 2, 6});
  const Value kernel = graph.add(Transpose{{3, 0, 1, 2}}, {stored}, "ohwi");
  const Value bias = parameter(graph, "conv/bias", {6});
  x = graph.add(Conv2d{.groups = 2, .bias = true, .activation = {}}, {x, kernel, bias}, "conv");
  const Value flat = parameter(graph, "depthwise", {std::int64_t{3} * 3 * 6});
  const Value depthwise = graph.add(Reshape{{6, 3, 3, 1}}, {flat}, "ohwi2");
  x = graph.add(Conv2d{.pads = {1, 1, 1, 1}, .groups = 6, .activation = {}},
                {x, depthwise},
                "depthwise_conv");
  x = graph.add(BatchNorm{},
                {x,
                 parameter(graph, "bn/gamma", {6}),
                 parameter(graph, "bn/beta", {6}),
                 parameter(graph, "bn/mean", {6}),
                 parameter(graph, "bn/variance", {6})},
                "bn");
  x = graph.add(Mul{}, {x, parameter(graph, "factor", {6})}, "mul");
  x = graph.add(Add{{}}, {x, parameter(graph, "summand", {6})}, "add");
  x = graph.add(GlobalPool{}, {x}, "pool");
  const Value oi = parameter(graph, "dense/kernel", {10, 6});
  x = graph.add(Dense{.bias = true, .activation = {}},
                {x, oi, parameter(graph, "dense/bias", {10})},
                "dense");
  graph.mark_output(x);

  fill_random_weights(graph, 3, 0.25);

  EXPECT_EQ(values_of(graph, "conv/kernel"),
            around_zero("conv/kernel", 180, std::sqrt(6.0 / (3 * 5 * 2))));
  EXPECT_EQ(values_of(graph, "conv/bias"), around_zero("conv/bias", 6, 0.05));
  EXPECT_EQ(values_of(graph, "depthwise"), around_zero("depthwise", 54, std::sqrt(3.0 / 9)));
  EXPECT_EQ(values_of(graph, "bn/gamma"), expected("bn/gamma", 6, 0.8, 1.2));
  EXPECT_EQ(values_of(graph, "bn/beta"), around_zero("bn/beta", 6, 0.1));
  EXPECT_EQ(values_of(graph, "bn/mean"), around_zero("bn/mean", 6, 0.1));
  EXPECT_EQ(values_of(graph, "bn/variance"), expected("bn/variance", 6, 0.8, 1.2));
  EXPECT_EQ(values_of(graph, "factor"), expected("factor", 6, 0.8, 1.2));
  EXPECT_EQ(values_of(graph, "summand"), around_zero("summand", 6, 0.1));
  EXPECT_EQ(values_of(graph, "dense/kernel"),
            around_zero("dense/kernel", 60, 0.25 * std::sqrt(6.0 / 6)));
  EXPECT_EQ(values_of(graph, "dense/bias"), around_zero("dense/bias", 10, 0.05));
}

TEST(FillRandomWeights, KeepsResidualBranchesSmall) {
  for (const bool relu_between : {false, true}) {
    Graph graph;
    const Value x = picture(graph, {kBatch, 4});
    Value y = graph.add(BatchNorm{},
                        {x,
                         parameter(graph, "gamma", {4}),
                         parameter(graph, "beta", {4}),
                         parameter(graph, "mean", {4}),
                         parameter(graph, "variance", {4})},
                        "bn");
    if (relu_between) y = graph.add(Relu{}, {y}, "relu");
    graph.mark_output(graph.add(Add{{}}, {x, y}, "add"));

    fill_random_weights(graph, 3, 1.0);

    EXPECT_EQ(values_of(graph, "gamma"),
              relu_between ? expected("gamma", 4, 0.8, 1.2) : expected("gamma", 4, 0.1, 0.3));
  }
}

TEST(FillRandomWeights, ScalesAConvolutionThatClassifies) {
  Graph graph;
  Value x = picture(graph, {kBatch, 2, 2, 1});
  x = graph.add(Conv2d{}, {x, parameter(graph, "first", {5, 1, 1, 1})}, "conv1");
  x = graph.add(Conv2d{}, {x, parameter(graph, "last", {7, 1, 1, 5})}, "conv2");
  graph.mark_output(graph.add(GlobalPool{}, {x}, "pool"));

  fill_random_weights(graph, 3, 4.0);

  EXPECT_EQ(values_of(graph, "first"), around_zero("first", 5, std::sqrt(6.0 / 1)));
  EXPECT_EQ(values_of(graph, "last"), around_zero("last", 35, 4 * std::sqrt(6.0 / 5)));
}

TEST(FillRandomWeights, LeavesDataAndUnusedParametersAlone) {
  Graph graph;
  const Value x = picture(graph, {kBatch, 1});
  const auto one = Buffer::from(std::vector<std::byte>(sizeof(float)));
  const Value given = graph.add(Constant{{DType::kFloat32, {1}}, one}, {}, "given");
  (void)parameter(graph, "unused", {2});
  graph.mark_output(graph.add(Mul{}, {x, given}, "mul"));

  fill_random_weights(graph, 3, 1.0);

  EXPECT_EQ(values_of(graph, "given"), std::vector<float>{0.0F});
  EXPECT_EQ(values_of(graph, "unused"), std::vector<float>{});
}

TEST(FillRandomWeights, RefusesAParameterWithoutARole) {
  Graph graph;
  const Value rows = parameter(graph, "rows", {2, 3});
  graph.mark_output(graph.add(Softmax{}, {rows}, "softmax"));

  try {
    fill_random_weights(graph, 3, 1.0);
    FAIL() << "nothing was thrown";
  } catch (const Unsupported& error) {
    EXPECT_NE(std::string(error.what()).find("'rows'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("Softmax 'softmax'"), std::string::npos);
  }
}

}  // namespace fovea
