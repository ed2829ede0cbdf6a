#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::fusing_context;
using test::random_constant;
using test::refusal;

const Pass kPass = find_pass("fuse-separable");

/// What stands between x and y, and how many filters there are at the end.
struct Block {
  std::int64_t channels = 6;
  std::int64_t filters = 10;
  Conv2d depthwise{.strides = {2, 1}, .pads = {1, 1, 1, 1}, .bias = true};
  Conv2d pointwise{};
};

/// x -> depthwise convolution "depthwise" -> convolution "pointwise" -> y.
Graph block(Block b) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 7, 5, b.channels}}}, {}, "x");
  b.depthwise.groups = b.channels;
  std::vector<Value> inputs{x, random_constant(graph, {b.channels, 3, 3, 1}, 1, "taps")};
  if (b.depthwise.bias) inputs.push_back(random_constant(graph, {b.channels}, 2, "shift"));
  const Value between = graph.add(b.depthwise, inputs, "depthwise");
  std::vector<Value> rest{between,
                          random_constant(graph, {b.filters, 1, 1, b.channels}, 3, "filters")};
  if (b.pointwise.bias) rest.push_back(random_constant(graph, {b.filters}, 4, "bias"));
  if (b.pointwise.residual) {
    const Value w = random_constant(graph, {b.filters, 1, 1, b.channels}, 5, "shortcut_filters");
    rest.push_back(graph.add(Conv2d{.strides = {2, 1}}, {x, w}, "shortcut"));
  }
  graph.mark_output(graph.add(b.pointwise, rest, "pointwise"), "y");
  return graph;
}

/// Why the pass leaves the graph alone.
std::string why_not(Graph graph) {
  PassContext context = fusing_context();
  const std::string before = to_dot(graph);
  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(to_dot(graph), before);
  return refusal(context);
}

TEST(FuseSeparable, OneOperatorComputesBoth) {
  const Graph before = block({});
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kPass.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Conv2d>(after), 0);
  const Node& node = after.node(after.find("pointwise"));
  ASSERT_NE(node.as<SeparableConv2d>(), nullptr);
  EXPECT_EQ(node.inputs.size(), 4U);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSeparable, KeepsWhatBothPartsHaveFused) {
  const Activation relu{.kind = ActivationKind::kRelu};
  const Graph before =
      block({.depthwise = {.strides = {2, 1},
                           .pads = {1, 1, 1, 1},
                           .activation = relu,
                           .input_activation = ActivationKind::kRelu},
             .pointwise = {
                 .bias = true, .residual = true, .activation = relu, .activation_channels = 4}});
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kPass.run(after, context));

  EXPECT_EQ(count_ops<Conv2d>(after), 1);
  const auto& op = *after.node(after.find("pointwise")).as<SeparableConv2d>();
  EXPECT_EQ(op.depthwise.input_activation, ActivationKind::kRelu);
  EXPECT_EQ(op.pointwise.activation_channels, 4);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSeparable, OfHalvesRoundsBetweenTheParts) {
  Graph before = block({});
  PassContext halves = fusing_context();
  halves.precision = Precision::kBf16;
  before.clear_outputs();
  const Value y =
      before.add(GlobalPool{.keep_dims = true}, {{before.find("pointwise"), 0}}, "pool");
  before.mark_output(
      before.add(Conv2d{}, {y, random_constant(before, {3, 1, 1, 10}, 6, "tail")}, "y"));
  ASSERT_TRUE(find_pass("reduce-precision").run(before, halves));
  Graph after = before;

  EXPECT_TRUE(kPass.run(after, halves));

  const Node& node = after.node(after.find("pointwise"));
  ASSERT_NE(node.as<SeparableConv2d>(), nullptr);
  EXPECT_EQ(node.outputs[0].dtype, DType::kBFloat16);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSeparable, NotWhereTheValueBetweenIsSeen) {
  Graph graph = block({});
  graph.mark_output({graph.find("depthwise"), 0});

  EXPECT_EQ(why_not(graph), "'depthwise' is also used elsewhere");
}

TEST(FuseSeparable, NotForMoreFiltersThanTheTargetHasAtOnce) {
  EXPECT_EQ(why_not(block({.filters = 257})),
            "it has 257 filters, and the target computes 'depthwise' once for at most 256");
}

TEST(FuseSeparable, NotForConvolutionsOfOtherKinds) {
  EXPECT_EQ(why_not(block({.pointwise = {.strides = {2, 2}}})), "");
  EXPECT_EQ(why_not(block({.pointwise = {.pads = {0, 0, 0, 1}}})), "");
  EXPECT_EQ(why_not(block({.channels = 1})), "");
  Graph graph = block({});
  Conv2d grouped{.strides = {2, 1}, .pads = {1, 1, 1, 1}, .groups = 3};
  const Value x{graph.find("x"), 0};
  const Value y =
      graph.add(Conv2d{},
                {graph.add(grouped, {x, random_constant(graph, {6, 3, 3, 2}, 7, "w7")}, "grouped"),
                 random_constant(graph, {4, 1, 1, 6}, 8, "w8")},
                "behind");
  graph.clear_outputs();
  graph.mark_output(y);
  graph.compact();

  EXPECT_EQ(why_not(graph), "");
}

TEST(FuseSeparable, NotWhereADepthwiseConvolutionAddsAResidual) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 6}}}, {}, "x");
  const Value between = graph.add(Conv2d{.pads = {1, 1, 1, 1}, .groups = 6, .residual = true},
                                  {x, random_constant(graph, {6, 3, 3, 1}, 1, "taps"), x},
                                  "depthwise");
  graph.mark_output(
      graph.add(Conv2d{}, {between, random_constant(graph, {4, 1, 1, 6}, 2, "filters")}, "y"));

  EXPECT_EQ(why_not(graph), "'depthwise' adds a residual");
}

TEST(FuseSeparable, NotWhereTheTargetCannot) {
  Graph graph = block({});
  PassContext context = fusing_context();
  context.traits.most_separable_filters = 0;

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal(context), "the target computes no separable convolution in one step");
}

}  // namespace
}  // namespace fovea
