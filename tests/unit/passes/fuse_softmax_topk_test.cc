#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::fusing_context;
using test::refusal;

const Pass kPass = find_pass("fuse-softmax-top-k");

Graph classifier_tail() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 20}}}, {}, "x");
  const Value top = graph.add(TopK{3}, {graph.add(Softmax{}, {x}, "softmax")}, "top");
  graph.mark_output(top, "values");
  graph.mark_output({top.node, 1}, "indices");
  return graph;
}

TEST(FuseSoftmaxTopK, OneOperatorComputesAndRanks) {
  const Graph before = classifier_tail();
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kPass.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Softmax>(after), 0);
  EXPECT_EQ(*after.node(after.find("top")).as<TopK>(), (TopK{.k = 3, .softmax = true}));
  EXPECT_EQ(after.outputs()[1].value.output, 1);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSoftmaxTopK, NotWhereTheProbabilitiesAreSeen) {
  Graph graph = classifier_tail();
  graph.mark_output({graph.find("softmax"), 0});
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal(context), "'softmax' is also used elsewhere");
}

TEST(FuseSoftmaxTopK, NotWhereTheTargetCannotAndNotTwice) {
  Graph graph = classifier_tail();
  PassContext context = fusing_context();
  context.traits.fuses_softmax_topk = false;
  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal(context), "the target computes probabilities and ranks apart");

  graph.replace_op(graph.find("top"), TopK{.k = 3, .softmax = true});
  PassContext again = fusing_context();
  EXPECT_FALSE(kPass.run(graph, again));
}

}  // namespace
}  // namespace fovea
