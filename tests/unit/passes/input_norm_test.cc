// A BatchNorm before what sums.
#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::positive_constant;
using test::random_constant;
using test::refusal;

const Pass kInputNorm = find_pass("fold-input-norm");

/// `shifts` false: mean and beta are 0.
Value batch_norm(Graph& graph, Value x, bool shifts = true) {
  const Shape channels{graph.desc(x).shape.back()};
  const Value zero = graph.add(
      make_constant(channels, std::vector<float>(static_cast<std::size_t>(channels[0]))), {}, "0");
  const Value gamma = random_constant(graph, channels, 31, "gamma");
  const Value beta = shifts ? random_constant(graph, channels, 32, "beta") : zero;
  const Value mean = shifts ? random_constant(graph, channels, 33, "mean") : zero;
  const Value variance = positive_constant(graph, channels, 34, "variance");
  return graph.add(BatchNorm{0.5}, {x, gamma, beta, mean, variance}, "norm");
}

/// Conv2d of a norm of six channels.
Graph norm_and_conv(const Conv2d& conv, const Shape& weights, bool shifts = true) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 6, 6}}}, {}, "x");
  std::vector<Value> inputs{batch_norm(graph, x, shifts), random_constant(graph, weights, 1, "w")};
  if (conv.bias) inputs.push_back(random_constant(graph, {weights[0]}, 2, "b"));
  if (conv.residual) inputs.push_back(inputs[0]);
  graph.mark_output(graph.add(conv, inputs, "conv"));
  return graph;
}

TEST(FoldInputNorm, IntoPlainGroupedAndDepthwiseConvolutions) {
  for (const auto& [conv, weights] :
       {std::pair(Conv2d{}, Shape{4, 3, 3, 6}),
        std::pair(Conv2d{.bias = true, .activation = {ActivationKind::kRelu}}, Shape{4, 1, 1, 6}),
        std::pair(Conv2d{.groups = 3}, Shape{6, 3, 2, 2}),
        std::pair(Conv2d{.groups = 6, .bias = true}, Shape{12, 3, 3, 1})}) {
    const Graph before = norm_and_conv(conv, weights);
    Graph after = before;
    PassContext context;

    EXPECT_TRUE(kInputNorm.run(after, context));

    after.verify();
    EXPECT_EQ(count_ops<BatchNorm>(after), 0);
    // Sums of up to 54 products of size 4; weights and bias are rounded once more.
    EXPECT_LT(difference(before, after), 1e-4F) << to_dot(after);
  }
}

TEST(FoldInputNorm, IntoADenseLayer) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 7}}}, {}, "x");
  const Value norm = batch_norm(before, x);
  before.mark_output(before.add(Dense{}, {norm, random_constant(before, {3, 7}, 1, "w")}, "dense"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kInputNorm.run(after, context));

  EXPECT_TRUE(after.node(after.find("dense")).as<Dense>()->bias);
  EXPECT_LT(difference(before, after), 1e-5F);
}

TEST(FoldInputNorm, PastABorderOnlyWithoutAShift) {
  const Conv2d padded{.pads = {1, 1, 1, 1}};
  const Graph before = norm_and_conv(padded, {4, 3, 3, 6}, false);
  Graph after = before;
  Graph shifted = norm_and_conv(padded, {4, 3, 3, 6});
  PassContext context;

  EXPECT_TRUE(kInputNorm.run(after, context));
  EXPECT_FALSE(kInputNorm.run(shifted, context));

  EXPECT_LT(difference(before, after), 1e-4F);
  EXPECT_EQ(refusal(context), "the border is zero behind 'norm', which shifts, but not before it");
}

TEST(FoldInputNorm, ReadsWeightsThatLieTransposed) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 4, 4, 6}}}, {}, "x");
  const Value hwio = random_constant(before, {3, 2, 6, 5}, 1, "hwio");
  const Value w = before.add(Transpose{{3, 0, 1, 2}}, {hwio}, "w");
  before.mark_output(before.add(Conv2d{}, {batch_norm(before, x), w}, "conv"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-constants").run(after, context));
  EXPECT_TRUE(kInputNorm.run(after, context));

  EXPECT_LT(difference(before, after), 1e-4F);
}

TEST(FoldInputNorm, OfARescale) {
  for (const auto& [offset, pads] :
       {std::pair(-1.0, Pads{0, 0, 0, 0}), std::pair(0.0, Pads{1, 1, 1, 1})}) {
    Graph before;
    const Value x = before.add(Input{{DType::kFloat32, {kBatch, 5, 6, 6}}}, {}, "x");
    const Value scaled = before.add(Rescale{1 / 127.5, offset}, {x}, "scaled");
    const Value w = random_constant(before, {4, 3, 3, 3}, 1, "w");
    before.mark_output(before.add(Conv2d{.pads = pads, .groups = 2}, {scaled, w}, "conv"));
    Graph after = before;
    PassContext context;

    EXPECT_TRUE(kInputNorm.run(after, context));

    after.verify();
    EXPECT_EQ(count_ops<Rescale>(after), 0);
    EXPECT_LT(difference(before, after), 1e-5F);
  }
}

TEST(FoldInputNorm, LeavesTheHeadAndSaysWhy) {
  for (const auto& [pads, mode, reason] :
       {std::tuple(Pads{1, 1, 1, 1},
                   Normalization::kTf,
                   "the border is zero behind 'head', which shifts, but not before it"),
        std::tuple(Pads{0, 0, 0, 0},
                   Normalization::kTf,
                   "'head' makes float32 of u8 in any case: without mean and scale, too, it would "
                   "read 90 and write 360 bytes for a picture"),
        std::tuple(Pads{1, 1, 1, 1},
                   Normalization::kUnit,
                   "'head' makes float32 of u8 in any case: without mean and scale, too, it would "
                   "read 90 and write 360 bytes for a picture")}) {
    Graph graph;
    const Value x = graph.add(Input{{DType::kUInt8, {kBatch, 5, 6, 3}}}, {}, "x");
    const Value head = graph.add(NormalizeImage{normalization_constants(mode)}, {x}, "head");
    const Value w = random_constant(graph, {4, 3, 3, 3}, 1, "w");
    graph.mark_output(graph.add(Conv2d{.pads = pads}, {head, w}, "conv"));
    PassContext context;

    EXPECT_FALSE(kInputNorm.run(graph, context));

    EXPECT_EQ(refusal(context), reason);
    EXPECT_EQ(context.report.decisions()[0].node, "conv");
  }
}

TEST(FoldInputNorm, RefusesWhatItMayNot) {
  Graph used_twice = norm_and_conv({}, {4, 1, 1, 6});
  used_twice.mark_output({used_twice.find("norm"), 0});
  Graph residual = norm_and_conv({.residual = true}, {6, 1, 1, 6});
  Graph activated = norm_and_conv({.input_activation = ActivationKind::kRelu}, {4, 1, 1, 6});
  Graph unknown;
  const Value x = unknown.add(Input{{DType::kFloat32, {kBatch, 5, 6, 6}}}, {}, "x");
  const Value w = unknown.add(Constant{{DType::kFloat32, {4, 1, 1, 6}}, nullptr}, {}, "w");
  unknown.mark_output(unknown.add(Conv2d{}, {batch_norm(unknown, x), w}, "conv"));

  for (const auto& [graph, reason] : {std::pair(&used_twice, "'norm' is also used elsewhere"),
                                      std::pair(&residual, "'norm' is also used elsewhere"),
                                      std::pair(&activated, "an activation lies in between"),
                                      std::pair(&unknown, "its parameters are not constant")}) {
    PassContext context;
    EXPECT_FALSE(kInputNorm.run(*graph, context)) << reason;
    EXPECT_EQ(refusal(context), reason);
    EXPECT_EQ(context.report.decisions()[0].node, "conv");
  }
}

}  // namespace
}  // namespace fovea
