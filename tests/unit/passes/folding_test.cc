#include <limits>

#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::positive_constant;
using test::random_constant;
using test::refusal;

Value batch_norm(Graph& graph, Value x, std::int64_t channels) {
  return graph.add(BatchNorm{1.001e-5},
                   {x,
                    random_constant(graph, {channels}, 21, "gamma"),
                    random_constant(graph, {channels}, 22, "beta"),
                    random_constant(graph, {channels}, 23, "mean"),
                    positive_constant(graph, {channels}, 24, "variance")},
                   "norm");
}

Graph convolution_and_norm(const Conv2d& conv, const Shape& weights) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 6, 4}}}, {}, "x");
  std::vector<Value> inputs{x, random_constant(graph, weights, 1, "w")};
  if (conv.bias) inputs.push_back(random_constant(graph, {weights[0]}, 2, "b"));
  const Value y = graph.add(conv, inputs, "conv");
  graph.mark_output(batch_norm(graph, y, weights[0]));
  return graph;
}

TEST(FoldBatchNorm, IntoPlainGroupedAndDepthwiseConvolutions) {
  const std::vector<std::pair<Conv2d, Shape>> cases{
      {{.pads = {1, 0, 0, 1}}, {5, 3, 3, 4}},
      {{.strides = {2, 1}, .bias = true}, {3, 2, 2, 4}},
      {{.groups = 2}, {6, 1, 1, 2}},
      {{.pads = {1, 1, 1, 1}, .groups = 4, .bias = true}, {4, 3, 3, 1}},
  };
  for (const auto& [conv, weights] : cases) {
    const Graph before = convolution_and_norm(conv, weights);
    Graph after = before;
    PassContext context;

    EXPECT_TRUE(find_pass("fold-batch-norm").run(after, context));

    after.verify();
    EXPECT_EQ(count_ops<BatchNorm>(after), 0);
    EXPECT_LT(difference(before, after), 2e-5F);
  }
}

TEST(FoldBatchNorm, AndARescale) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 5}}}, {}, "x");
  const Value dense = before.add(Dense{}, {x, random_constant(before, {3, 5}, 1, "w")}, "dense");
  before.mark_output(before.add(Rescale{0.25, -3.0}, {dense}, "scaled"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-batch-norm").run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Rescale>(after), 0);
  EXPECT_LT(difference(before, after), 1e-5F);
}

TEST(FoldBatchNorm, GivesNewNodesNamesThatTheModelDoesNotUse) {
  Graph graph = convolution_and_norm({}, {5, 3, 3, 4});
  for (const char* name : {"norm/folded_weights", "norm/folded_weights_", "norm/folded_bias"}) {
    graph.mark_output(graph.add(Relu{}, {graph.outputs()[0].value}, name));
  }
  PassContext context;

  EXPECT_TRUE(find_pass("fold-batch-norm").run(graph, context));

  EXPECT_NO_THROW(graph.verify());
  const Node& conv = graph.node(graph.find("norm"));
  EXPECT_EQ(graph.node(conv.inputs[1]).name, "norm/folded_weights__");
  EXPECT_EQ(graph.node(conv.inputs[2]).name, "norm/folded_bias_");
}

TEST(FoldBatchNorm, IntoWeightsThatLieInAnotherOrder) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 6, 6, 4}}}, {}, "x");
  const Value stored = random_constant(before, {3, 2, 4, 5}, 1, "stored");
  const Value w = before.add(Transpose{.perm = {3, 0, 1, 2}}, {stored}, "w");
  before.mark_output(batch_norm(before, before.add(Conv2d{}, {x, w}, "conv"), 5));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-constants").run(after, context));
  EXPECT_TRUE(find_pass("fold-batch-norm").run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Transpose>(after), 0);
  EXPECT_EQ(count_ops<BatchNorm>(after), 0);
  EXPECT_LT(difference(before, after), 2e-5F);
}

TEST(FoldConstants, TransposesWithoutMovingTheData) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3}}}, {}, "x");
  const Value stored = random_constant(graph, {3, 5}, 1, "stored");
  const auto data = graph.node(stored).as<Constant>()->data;
  const Value w = graph.add(Transpose{.perm = {1, 0}}, {stored}, "w");
  graph.mark_output(graph.add(Dense{}, {x, w}, "y"));
  const Graph before = graph;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-constants").run(graph, context));

  const auto* folded = graph.node(graph.find("w")).as<Constant>();
  ASSERT_NE(folded, nullptr);
  EXPECT_EQ(folded->data, data);
  EXPECT_EQ(difference(before, graph), 0.0F);
}

TEST(FoldBatchNorm, IntoDense) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 7}}}, {}, "x");
  const Value y = before.add(Dense{}, {x, random_constant(before, {5, 7}, 1, "w")}, "dense");
  before.mark_output(batch_norm(before, y, 5));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-batch-norm").run(after, context));

  EXPECT_EQ(count_ops<BatchNorm>(after), 0);
  EXPECT_LT(difference(before, after), 2e-5F);
}

TEST(FoldBatchNorm, RefusesWhatWouldChangeTheMeaning) {
  Graph seen = convolution_and_norm({}, {5, 3, 3, 4});
  seen.mark_output({seen.find("conv"), 0});
  Graph activated =
      convolution_and_norm({.activation = {.kind = ActivationKind::kRelu}}, {5, 3, 3, 4});
  Graph pooled;
  const Value x = pooled.add(Input{{DType::kFloat32, {kBatch, 4, 4, 2}}}, {}, "x");
  pooled.mark_output(batch_norm(pooled, pooled.add(MaxPool{.kernel = {2, 2}}, {x}, "pool"), 2));

  for (auto [graph, reason] :
       {std::pair(&seen, "'conv' is also used elsewhere"),
        std::pair(&activated, "an activation lies in between"),
        std::pair(&pooled, "'pool' (MaxPool) before it has no weights to scale")}) {
    PassContext context;
    EXPECT_FALSE(find_pass("fold-batch-norm").run(*graph, context));
    EXPECT_EQ(refusal(context), reason);
  }
}

TEST(FoldPad, IntoConvolution) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 6, 5, 2}}}, {}, "x");
  const Value padded = before.add(Pad{{2, 1, 0, 3}, 0.0F}, {x}, "pad");
  before.mark_output(before.add(Conv2d{.strides = {2, 2}, .pads = {1, 0, 0, 0}},
                                {padded, random_constant(before, {3, 3, 3, 2}, 1, "w")},
                                "conv"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-pad").run(after, context));

  after.verify();
  EXPECT_EQ(after.node(after.find("conv")).as<Conv2d>()->pads, (Pads{3, 1, 0, 3}));
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FoldPad, NotIntoConvolutionWhereTheBorderIsNotZero) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 2}}}, {}, "x");
  const Value padded = graph.add(Pad{{1, 1, 1, 1}, 0.5F}, {x}, "pad");
  const Value w = random_constant(graph, {3, 3, 3, 2}, 1, "w");
  graph.mark_output(graph.add(Conv2d{}, {padded, w}, "conv"));
  PassContext context;

  EXPECT_FALSE(find_pass("fold-pad").run(graph, context));
  EXPECT_EQ(refusal(context), "the border is not zero");
}

Graph padded_pool(bool relu,
                  float value,
                  std::int64_t pad,
                  const Op& pool = MaxPool{.kernel = {3, 3}, .strides = {2, 2}}) {
  Graph graph;
  Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 6, 2}}}, {}, "x");
  if (relu) x = graph.add(Relu{}, {x}, "relu");
  x = graph.add(Pad{{pad, pad, pad, pad}, value}, {x}, "pad");
  graph.mark_output(graph.add(pool, {x}, "pool"));
  return graph;
}

TEST(FoldPad, IntoMaxPoolOfWhatIsNeverNegative) {
  const Graph before = padded_pool(true, 0.0F, 1);
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-pad").run(after, context));

  EXPECT_EQ(count_ops<Pad>(after), 0);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FoldPad, IntoMaxPoolWhereTheBorderIsItsOwn) {
  const Graph before = padded_pool(false, -std::numeric_limits<float>::infinity(), 2);
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-pad").run(after, context));

  EXPECT_EQ(after.node(after.find("pool")).as<MaxPool>()->pads, (Pads{2, 2, 2, 2}));
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FoldPad, IntoAveragePoolWhichThenCountsTheBorder) {
  for (const AveragePool& pool :
       {AveragePool{.kernel = {3, 2}, .strides = {2, 1}},
        AveragePool{.kernel = {4, 4}, .count_padding = true},
        AveragePool{
            .kernel = {4, 3}, .strides = {1, 2}, .pads = {1, 0, 0, 1}, .count_padding = true}}) {
    const Graph before = padded_pool(false, 0.0F, 1, pool);
    Graph after = before;
    PassContext context;

    EXPECT_TRUE(find_pass("fold-pad").run(after, context));

    EXPECT_EQ(count_ops<Pad>(after), 0);
    EXPECT_EQ(difference(before, after), 0.0F);
  }
}

TEST(FoldPad, RefusesWhatWouldChangeTheMeaning) {
  const AveragePool average{.kernel = {3, 3}};
  AveragePool bordered = average;
  bordered.pads = {0, 1, 0, 0};
  for (auto [graph, reason] :
       {std::pair(padded_pool(false, 0.5F, 1, average), "the border is not zero"),
        std::pair(padded_pool(false, 0.0F, 1, bordered),
                  "the pool leaves its own border out of the mean, but not the Pad's"),
        std::pair(padded_pool(false, 0.0F, 3, average), "a window would lie in the border alone"),
        std::pair(padded_pool(false, 0.0F, 1), "the pooled values may be below the border's zero"),
        std::pair(padded_pool(true, 1.0F, 1), "the border is not zero"),
        std::pair(padded_pool(true, 0.0F, 3), "a window would lie in the border alone")}) {
    PassContext context;
    EXPECT_FALSE(find_pass("fold-pad").run(graph, context)) << reason;
    EXPECT_EQ(refusal(context), reason);
  }
}

TEST(FoldConstants, ComputesWhatNeedsNoInput) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  const Value w = random_constant(before, {4, 3}, 1, "w");
  const Value t = before.add(Transpose{{1, 0}}, {w}, "t");
  before.mark_output(before.add(Dense{}, {x, t}, "dense"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(find_pass("fold-constants").run(after, context));

  EXPECT_EQ(after.size(), 3);
  EXPECT_NE(after.node(after.find("t")).as<Constant>(), nullptr);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FoldConstants, LeavesParametersWithoutWeightsAlone) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  const Value w = graph.add(Constant{{DType::kFloat32, {4, 3}}, nullptr}, {}, "w");
  graph.mark_output(graph.add(Dense{}, {x, graph.add(Transpose{{1, 0}}, {w}, "t")}, "dense"));
  PassContext context;

  EXPECT_FALSE(find_pass("fold-constants").run(graph, context));
}

}  // namespace
}  // namespace fovea
