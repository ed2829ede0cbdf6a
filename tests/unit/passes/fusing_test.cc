#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::fusing_context;
using test::random_constant;
using test::refusal;

const Pass kResidual = find_pass("fuse-residual");
const Pass kHoist = find_pass("hoist-activation");
const Pass kActivation = find_pass("fuse-activation");
const Pass kInputActivation = find_pass("fuse-input-activation");

/// relu(conv(x) + shortcut(x)) where both are convolutions.
Graph two_convolutions_and_a_sum() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 5, 3}}}, {}, "x");
  const Value a = graph.add(
      Conv2d{.pads = {1, 1, 1, 1}}, {x, random_constant(graph, {4, 3, 3, 3}, 1, "wa")}, "a");
  const Value b = graph.add(Conv2d{}, {x, random_constant(graph, {4, 1, 1, 3}, 2, "wb")}, "b");
  const Value sum = graph.add(Add{}, {a, b}, "sum");
  graph.mark_output(graph.add(Relu{}, {sum}, "relu"));
  return graph;
}

TEST(FuseResidual, TheLaterConvolutionTakesTheEarlierIn) {
  const Graph before = two_convolutions_and_a_sum();
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kResidual.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Add>(after), 0);
  EXPECT_EQ(count_ops<Conv2d>(after), 2);
  EXPECT_TRUE(after.node(after.find("sum")).as<Conv2d>()->residual);
  // Only the order of a few float32 roundings differs.
  EXPECT_LT(difference(before, after), 1e-5F);
}

TEST(FuseResidual, NotWhereTheTargetCannot) {
  Graph graph = two_convolutions_and_a_sum();
  PassContext context;

  EXPECT_FALSE(kResidual.run(graph, context));
  EXPECT_EQ(refusal(context), "the target adds no residuals inside its convolutions");
}

TEST(FuseResidual, NotWhereTheSummandIsSeenElsewhere) {
  Graph graph = two_convolutions_and_a_sum();
  graph.mark_output({graph.find("a"), 0});
  graph.mark_output({graph.find("b"), 0});
  PassContext context = fusing_context();

  EXPECT_FALSE(kResidual.run(graph, context));
  EXPECT_EQ(refusal(context), "'b' is also used elsewhere");
}

TEST(FuseResidual, AnotherShapeIsBroadcastAndNotAResidual) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 5, 3}}}, {}, "x");
  const Value bias = random_constant(graph, {4}, 3, "bias");
  const Value a = graph.add(Conv2d{}, {x, random_constant(graph, {4, 1, 1, 3}, 1, "wa")}, "a");
  graph.mark_output(graph.add(Add{}, {a, bias}, "sum"));
  PassContext context = fusing_context();

  EXPECT_FALSE(kResidual.run(graph, context));
  EXPECT_EQ(refusal(context), "the summands have different shapes");
}

TEST(FuseActivation, AllKindsIntoConvolutionDenseAndSum) {
  for (const Op& activation : {Op{Relu{}}, Op{Clip{0.0F, 6.0F}}, Op{Tanh{}}, Op{Sigmoid{}}}) {
    Graph before;
    const Value x = before.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
    const Value w = random_constant(before, {4, 4}, 5, "w");
    Value y = before.add(activation, {before.add(Dense{}, {x, w}, "dense")}, "act1");
    y = before.add(activation, {before.add(Add{}, {y, x}, "sum")}, "act2");
    before.mark_output(y);
    Graph after = before;
    PassContext context = fusing_context();

    EXPECT_TRUE(kActivation.run(after, context)) << op_name(activation);

    after.verify();
    EXPECT_EQ(after.size(), 4) << op_name(activation);
    EXPECT_LT(difference(before, after), 1e-6F) << op_name(activation);
  }
}

TEST(FuseActivation, IntoAnAveragePoolWhereTheTargetsPoolsApplyIt) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 4, 4, 3}}}, {}, "x");
  const Value pool = before.add(AveragePool{.kernel = {2, 2}}, {x}, "pool");
  before.mark_output(before.add(Relu{}, {pool}, "relu"));
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kActivation.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Relu>(after), 0);
  EXPECT_EQ(difference(before, after), 0);

  context = fusing_context();
  context.traits.fuses_pool_activation = false;
  EXPECT_FALSE(kActivation.run(before, context));
  EXPECT_EQ(refusal(context), "the target applies no activation inside its pools");
}

TEST(FuseActivation, NotASecondOneAndNotPastAnotherReader) {
  Graph graph = two_convolutions_and_a_sum();
  graph.mark_output({graph.find("sum"), 0});
  PassContext context = fusing_context();

  EXPECT_FALSE(kActivation.run(graph, context));
  EXPECT_EQ(refusal(context), "'sum' is also used elsewhere");
}

TEST(FuseActivation, NotWhereTheTargetCannot) {
  Graph graph = two_convolutions_and_a_sum();
  PassContext context;

  EXPECT_FALSE(kActivation.run(graph, context));
  EXPECT_EQ(refusal(context), "the target does not apply Relu inside its operators");
}

/// relu(max_pool(conv(x))), or another activation.
Graph pooled_activation(const Op& activation, const Activation& own = {}) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 5, 3}}}, {}, "x");
  const Value w = random_constant(graph, {4, 1, 1, 3}, 1, "w");
  const Value conv = graph.add(Conv2d{.activation = own}, {x, w}, "conv");
  const Value pool =
      graph.add(MaxPool{.kernel = {2, 2}, .strides = {2, 2}, .pads = {1, 0, 0, 1}}, {conv}, "pool");
  graph.mark_output(graph.add(activation, {pool}, "activation"));
  return graph;
}

TEST(HoistActivation, SoThatItJoinsTheConvolution) {
  for (const Op& activation : {Op{Relu{}}, Op{Clip{-0.5F, 0.25F}}}) {
    const Graph before = pooled_activation(activation);
    Graph after = before;
    PassContext context = fusing_context();

    EXPECT_TRUE(kHoist.run(after, context));
    EXPECT_TRUE(kActivation.run(after, context));

    after.verify();
    EXPECT_EQ(after.size(), 4) << to_dot(after);
    EXPECT_EQ(difference(before, after), 0.0F);
  }
}

TEST(HoistActivation, RefusesWhatItMayNotOrWhatWouldNotPay) {
  Graph pool_used = pooled_activation(Relu{});
  pool_used.mark_output({pool_used.find("pool"), 0});
  Graph conv_used = pooled_activation(Relu{});
  conv_used.mark_output({conv_used.find("conv"), 0});
  Graph activated = pooled_activation(Relu{}, {ActivationKind::kTanh});
  Graph no_producer;
  const Value x = no_producer.add(Input{{DType::kFloat32, {kBatch, 5, 5, 3}}}, {}, "x");
  no_producer.mark_output(
      no_producer.add(Relu{}, {no_producer.add(MaxPool{}, {x}, "pool")}, "activation"));

  for (const auto& [graph, reason] :
       {std::pair(&pool_used, "'pool' is also used elsewhere"),
        std::pair(&conv_used, "'conv' is also used elsewhere"),
        std::pair(&activated, "'conv' has an activation already"),
        std::pair(&no_producer, "'x' (Input) applies no activation to its result")}) {
    PassContext context = fusing_context();
    EXPECT_FALSE(kHoist.run(*graph, context)) << reason;
    EXPECT_EQ(refusal(context), reason);
  }
  Graph graph = pooled_activation(Relu{});
  PassContext context;
  EXPECT_FALSE(kHoist.run(graph, context));
  EXPECT_EQ(refusal(context), "the target does not apply Relu inside its operators");
}

TEST(HoistActivation, NotOneThatFalls) {
  Graph graph = pooled_activation(Tanh{});
  PassContext context = fusing_context();

  EXPECT_FALSE(kHoist.run(graph, context));
}

/// A Relu that two depthwise convolutions read, and whose input a third operator needs.
Graph relu_and_depthwise(const Conv2d& second = {.pads = {1, 1, 1, 1}, .groups = 3}) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 5, 3}}}, {}, "x");
  const Value relu = graph.add(Relu{}, {x}, "relu");
  const Value w = random_constant(graph, {3, 3, 3, 1}, 1, "w");
  const Value a =
      graph.add(Conv2d{.strides = {2, 1}, .pads = {1, 1, 1, 1}, .groups = 3}, {relu, w}, "a");
  const std::int64_t inputs = 3 / second.groups;
  const Value b =
      graph.add(second, {relu, random_constant(graph, {3, 3, 3, inputs}, 2, "w2")}, "b");
  graph.mark_output(a);
  graph.mark_output(b);
  graph.mark_output(x, "shortcut");
  return graph;
}

TEST(FuseInputActivation, IntoAllDepthwiseConvolutionsThatReadIt) {
  const Graph before = relu_and_depthwise();
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kInputActivation.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Relu>(after), 0);
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(after.node(after.find(name)).as<Conv2d>()->input_activation, ActivationKind::kRelu);
  }
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseInputActivation, NotWhereAnythingElseReadsTheRelu) {
  Graph output = relu_and_depthwise();
  output.mark_output({output.find("relu"), 0}, "relu");
  Graph plain = relu_and_depthwise(Conv2d{});
  Graph twice = relu_and_depthwise({.groups = 3, .input_activation = ActivationKind::kRelu});
  Graph summed;
  const Value x = summed.add(Input{{DType::kFloat32, {kBatch, 5, 5, 3}}}, {}, "x");
  const Value relu = summed.add(Relu{}, {x}, "relu");
  const Value w = random_constant(summed, {3, 1, 1, 1}, 1, "w");
  summed.mark_output(summed.add(Conv2d{.groups = 3, .residual = true}, {relu, w, relu}, "b"));

  for (const auto& [graph, reason] :
       {std::pair(&output, "'relu' is an output too"),
        std::pair(&plain, "'b' reads it too and is no depthwise convolution"),
        std::pair(&twice, "'b' has an activation on its input already"),
        std::pair(&summed, "'b' adds it to its sums")}) {
    PassContext context = fusing_context();
    EXPECT_FALSE(kInputActivation.run(*graph, context)) << reason;
    EXPECT_EQ(refusal(context), reason);
  }
}

TEST(FuseInputActivation, NotWhereTheTargetCannot) {
  Graph graph = relu_and_depthwise();
  PassContext context;

  EXPECT_FALSE(kInputActivation.run(graph, context));
  EXPECT_EQ(refusal(context), "the target's depthwise convolutions apply no Relu to their input");
}

}  // namespace
}  // namespace fovea
