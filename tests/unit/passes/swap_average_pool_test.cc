#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::difference;
using test::fusing_context;
using test::random_constant;
using test::refusal;

const Pass kPass = find_pass("swap-average-pool");

constexpr AveragePool kSame{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};

/// Conv2d{1x1, bias, relu}(AveragePool(x)) from 12 channels to `channels`, or another pair.
Graph pooled_convolution(const AveragePool& pool = kSame,
                         std::int64_t channels = 4,
                         std::int64_t kernel = 1,
                         Conv2d conv = {.bias = true,
                                        .activation = {.kind = ActivationKind::kRelu}}) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 12}}}, {}, "x");
  const Value pooled = graph.add(pool, {x}, "pool");
  std::vector<Value> inputs{pooled, random_constant(graph, {channels, kernel, kernel, 12}, 1, "w")};
  if (conv.bias) inputs.push_back(random_constant(graph, {channels}, 2, "b"));
  graph.mark_output(graph.add(conv, inputs, "conv"));
  return graph;
}

/// Rounding of 12 products of values up to 4, in another order.
constexpr float kRounding = 1e-5F;

void expect_swapped(const Graph& before) {
  Graph after = before;
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(after, context)) << refusal(context);

  after.verify();
  const Node& pool = after.node(after.find("conv"));
  ASSERT_NE(pool.as<AveragePool>(), nullptr);
  const Node& conv = after.node(pool.inputs[0]);
  ASSERT_NE(conv.as<Conv2d>(), nullptr);
  EXPECT_EQ(conv.as<Conv2d>()->activation, Activation{});
  EXPECT_EQ(pool.as<AveragePool>()->activation,
            before.node(before.find("conv")).as<Conv2d>()->activation);
  EXPECT_EQ(conv.inputs[0].node, after.find("x"));
  EXPECT_LT(difference(before, after), kRounding);
}

void expect_refused(const Graph& before,
                    const std::string& reason,
                    PassContext context = fusing_context()) {
  Graph graph = before;

  EXPECT_FALSE(kPass.run(graph, context));

  EXPECT_EQ(refusal(context), reason);
}

TEST(SwapAveragePool, TheConvolutionComesFirstAndItsActivationLast) {
  expect_swapped(pooled_convolution());
}

TEST(SwapAveragePool, WithoutBiasAlsoWherePaddingCounts) {
  AveragePool counting = kSame;
  counting.count_padding = true;

  expect_swapped(pooled_convolution(counting, 4, 1, {}));
  expect_refused(pooled_convolution(counting),
                 "the padding counts, and the bias must not be averaged with it");
  counting.pads = {0, 0, 0, 0};
  expect_swapped(pooled_convolution(counting, 1));
}

TEST(SwapAveragePool, OnlyWhereItLowersWork) {
  expect_swapped(pooled_convolution(kSame, 11));
  expect_refused(pooled_convolution(kSame, 12),
                 "it would take 7560 operations for a picture instead of 7560");
  expect_refused(pooled_convolution({.kernel = {2, 2}, .strides = {2, 2}}, 11),
                 "it would take 4224 operations for a picture instead of 1080");
}

TEST(SwapAveragePool, NotAroundADenseLayer) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 7, 7, 6}}}, {}, "x");
  const Value pooled = graph.add(GlobalPool{}, {x}, "pool");
  graph.mark_output(graph.add(Dense{}, {pooled, random_constant(graph, {4, 6}, 1, "w")}, "dense"));

  // 49 * 6 sums and 6 * 4 products; 49 * 6 * 4 products and 49 * 4 sums.
  expect_refused(graph,
                 "no backend pools and weighs in one operator, and the other way round it would "
                 "take 1372 operations for a picture instead of 318");
}

TEST(SwapAveragePool, NotAroundAConvolutionOfSeveralPixels) {
  const std::string reason = "the convolution reads more than one pixel";

  expect_refused(pooled_convolution(kSame, 4, 2), reason);
  expect_refused(pooled_convolution(kSame, 4, 1, {.strides = {2, 1}}), reason);
  expect_refused(pooled_convolution(kSame, 4, 1, {.pads = {0, 0, 1, 0}}), reason);
}

TEST(SwapAveragePool, NotWhereThePooledValuesAreSeen) {
  Graph graph = pooled_convolution();
  graph.mark_output({graph.find("pool"), 0});

  expect_refused(graph, "'pool' is also used elsewhere");
}

TEST(SwapAveragePool, NotPastAnActivationOrAResidual) {
  AveragePool relu = kSame;
  relu.activation.kind = ActivationKind::kRelu;
  expect_refused(pooled_convolution(relu), "an activation lies in between");
  expect_refused(pooled_convolution(kSame, 4, 1, {.input_activation = ActivationKind::kRelu}),
                 "a Relu lies in between");
  expect_refused(
      pooled_convolution(
          kSame, 4, 1, {.activation = {.kind = ActivationKind::kRelu}, .activation_channels = 2}),
      "the activation applies to some channels only");

  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 12}}}, {}, "x");
  const Value y = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 4}}}, {}, "y");
  const Value pooled = graph.add(kSame, {x}, "pool");
  const Value w = random_constant(graph, {4, 1, 1, 12}, 1, "w");
  graph.mark_output(graph.add(Conv2d{.residual = true}, {pooled, w, y}, "conv"));
  expect_refused(graph, "a residual is added behind the convolution");
}

TEST(SwapAveragePool, NotWhereTheTargetLeavesTheActivationAlone) {
  PassContext context = fusing_context();
  context.traits.fuses_pool_activation = false;

  expect_refused(
      pooled_convolution(), "the target does not apply the activation inside its pools", context);
}

}  // namespace
}  // namespace fovea
