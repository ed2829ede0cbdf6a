#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::fusing_context;
using test::random_constant;
using test::refusal;

const Pass kResidual = find_pass("fuse-residual");
const Pass kActivation = find_pass("fuse-activation");

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

}  // namespace
}  // namespace fovea
