// Dead and equal nodes.
#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::random_constant;

const Pass kDead = find_pass("drop-dead-nodes");
const Pass kEqual = find_pass("merge-equal-nodes");

Value picture(Graph& graph) {
  return graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 3}}}, {}, "x");
}

TEST(DropDeadNodes, RemovesWhatNoOutputNeedsAndNamesIt) {
  Graph graph;
  const Value x = picture(graph);
  const Value w = random_constant(graph, {3}, 1, "w");
  graph.add(Add{}, {x, w}, "dead");
  graph.mark_output(graph.add(Relu{}, {x}, "relu"));
  graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "unused");
  PassContext context;

  EXPECT_TRUE(kDead.run(graph, context));

  graph.verify();
  EXPECT_EQ(graph.size(), 3) << "an input stays, though nothing reads it";
  ASSERT_EQ(context.report.decisions().size(), 2U);
  EXPECT_EQ(context.report.decisions()[0].node, "w");
  EXPECT_EQ(context.report.decisions()[1].node, "dead");
  EXPECT_FALSE(kDead.run(graph, context));
}

TEST(MergeEqualNodes, MergesChainsThatAreEqual) {
  Graph before;
  const Value x = picture(before);
  const Value a = before.add(Relu{}, {before.add(Transpose{{0, 2, 1, 3}}, {x}, "t1")}, "r1");
  const Value b = before.add(Relu{}, {before.add(Transpose{{0, 2, 1, 3}}, {x}, "t2")}, "r2");
  before.mark_output(before.add(Concat{}, {a, b}, "y"));
  before.mark_output(b, "also");
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kEqual.run(after, context));

  after.verify();
  EXPECT_EQ(after.size(), 4) << to_dot(after);
  EXPECT_EQ(after.outputs()[1].name, "also");
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(MergeEqualNodes, MergesAllOutputsOfANode) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6}}}, {}, "x");
  const Value a = graph.add(TopK{2}, {x}, "a");
  const Value b = graph.add(TopK{2}, {x}, "b");
  graph.mark_output(a, "values");
  graph.mark_output({b.node, 1}, "indices");
  PassContext context;

  EXPECT_TRUE(kEqual.run(graph, context));

  graph.verify();
  EXPECT_EQ(count_ops<TopK>(graph), 1);
  EXPECT_EQ(graph.outputs()[1].value, (Value{1, 1}));
}

TEST(MergeEqualNodes, MergesConstantsOfOneIdentityOrOfFewEqualBytes) {
  const std::vector<std::byte> large(1'000'000);
  const auto held = Buffer::from(large);
  const auto elsewhere = Buffer::view(large, nullptr);  // equal, which only reading it would tell
  for (const auto& [data, expected] : {std::pair(held, 1), std::pair(elsewhere, 2)}) {
    Graph graph;
    const TensorDesc desc{DType::kFloat32, {250'000}};
    const Value a = graph.add(Constant{desc, held}, {}, "a");
    const Value b = graph.add(Constant{desc, data}, {}, "b");
    graph.mark_output(graph.add(Add{}, {a, b}, "sum"));
    PassContext context;

    kEqual.run(graph, context);

    EXPECT_EQ(count_ops<Constant>(graph), expected);
  }
  const std::vector<std::byte> small(12);
  Graph graph;
  const TensorDesc desc{DType::kFloat32, {3}};
  const Value a = graph.add(Constant{desc, Buffer::view(small, nullptr)}, {}, "a");
  const Value b = graph.add(Constant{desc, Buffer::view(small, nullptr)}, {}, "b");
  graph.mark_output(graph.add(Add{}, {a, b}, "sum"));
  PassContext context;

  EXPECT_TRUE(kEqual.run(graph, context));

  EXPECT_EQ(count_ops<Constant>(graph), 1);
}

TEST(MergeEqualNodes, SaysWhichNodesMayBeEqualButForLargeWeights) {
  const std::vector<std::byte> large(100'000);
  const TensorDesc desc{DType::kFloat32, {250, 100}};
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 100}}}, {}, "x");
  const Value w1 = graph.add(Constant{desc, Buffer::view(large, nullptr)}, {}, "w1");
  const Value w2 = graph.add(Constant{desc, Buffer::view(large, nullptr)}, {}, "w2");
  graph.mark_output(graph.add(Dense{}, {x, w1}, "a"));
  graph.mark_output(graph.add(Dense{}, {x, w2}, "b"));
  graph.mark_output(
      graph.add(Dense{.activation = {.kind = ActivationKind::kRelu}}, {x, w2}, "other"));
  PassContext context;

  EXPECT_FALSE(kEqual.run(graph, context));

  ASSERT_EQ(context.report.decisions().size(), 1U);
  EXPECT_EQ(context.report.decisions()[0],
            (Decision{"merge-equal-nodes",
                      "b",
                      false,
                      "is like 'a', but its weights are too large to be compared"}));
}

TEST(MergeEqualNodes, LeavesDifferentOnesAlone) {
  Graph graph;
  const Value x = picture(graph);
  const Value other = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 3}}}, {}, "other");
  const Value bias = random_constant(graph, {3}, 1, "bias");
  const Value scale = random_constant(graph, {3}, 2, "scale");
  const Value unknown = graph.add(Constant{{DType::kFloat32, {3}}, nullptr}, {}, "unknown");
  const Value unknown_too = graph.add(Constant{{DType::kFloat32, {3}}, nullptr}, {}, "unknown2");
  graph.mark_output(graph.add(Clip{0.0F, 1.0F}, {x}, "clip1"));
  graph.mark_output(graph.add(Clip{0.0F, 2.0F}, {x}, "clip2"));
  graph.mark_output(graph.add(Clip{0.0F, 1.0F}, {other}, "clip3"));
  graph.mark_output(graph.add(Add{}, {x, bias}, "sum1"));
  graph.mark_output(graph.add(Add{}, {x, scale}, "sum2"));
  graph.mark_output(graph.add(Mul{}, {x, bias}, "product"));
  graph.mark_output(graph.add(Add{}, {x, unknown}, "sum3"));
  graph.mark_output(graph.add(Add{}, {x, unknown_too}, "sum4"));
  PassContext context;

  EXPECT_FALSE(kEqual.run(graph, context));
  EXPECT_TRUE(context.report.decisions().empty());
}

}  // namespace
}  // namespace fovea
