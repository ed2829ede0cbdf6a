#include <cmath>

#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::random_constant;
using test::refusal;

const Pass kReduce = find_pass("reduce-precision");

PassContext context_for(Precision precision) {
  PassContext context;
  context.precision = precision;
  return context;
}

DType type_of(const Graph& graph, std::string_view name) {
  return graph.node(graph.find(name)).outputs[0].dtype;
}

/// Pictures -> a residual block with a pooled and concatenated branch -> two dense layers ->
/// softmax.
Graph classifier() {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, 6, 6, 3}}}, {}, "pixels");
  const Value x = graph.add(
      NormalizeImage{normalization_constants(Normalization::kTf)}, {pixels}, "normalized");
  const auto weights = [&](const Shape& shape, std::uint64_t seed) {
    return random_constant(graph, shape, seed, "w" + std::to_string(seed));
  };
  const Value a = graph.add(Conv2d{.pads = {1, 1, 1, 1}, .bias = true},
                            {x, weights({4, 3, 3, 3}, 1), weights({4}, 2)},
                            "a");
  const Value b = graph.add(Conv2d{.residual = true}, {a, weights({4, 1, 1, 4}, 3), a}, "b");
  const Value pool = graph.add(MaxPool{.kernel = {2, 2}, .strides = {2, 2}}, {b}, "pool");
  const Value mean = graph.add(AveragePool{.kernel = {2, 2}, .strides = {2, 2}}, {a}, "mean");
  const Value both = graph.add(Concat{3}, {pool, mean}, "both");
  const Value flat = graph.add(Reshape{{kBatch, 72}}, {both}, "flat");
  const Value hidden = graph.add(
      Dense{.activation = {.kind = ActivationKind::kRelu}}, {flat, weights({9, 72}, 4)}, "hidden");
  const Value logits = graph.add(Dense{}, {hidden, weights({5, 9}, 5)}, "logits");
  const Value top = graph.add(TopK{2}, {graph.add(Softmax{}, {logits}, "softmax")}, "top");
  graph.mark_output(top, "values");
  graph.mark_output({top.node, 1}, "indices");
  return graph;
}

TEST(ReducePrecision, BetweenTheHeadAndTheTail) {
  Graph graph = classifier();
  PassContext context = context_for(Precision::kBf16);

  EXPECT_TRUE(kReduce.run(graph, context));

  graph.verify();
  for (const char* half : {"a", "b", "pool", "mean", "both", "flat", "hidden"}) {
    EXPECT_EQ(type_of(graph, half), DType::kBFloat16) << half;
  }
  for (const char* single : {"normalized", "logits", "softmax", "top", "w1", "w2", "w4"}) {
    EXPECT_EQ(type_of(graph, single), DType::kFloat32) << single;
  }
  // One where the head ends, one where the tail begins.
  EXPECT_EQ(count_ops<Cast>(graph), 2) << to_dot(graph);
  EXPECT_EQ(graph.node(graph.node(graph.find("logits")).inputs[0]).name, "hidden/f32");
}

TEST(ReducePrecision, SaysWhatStays) {
  Graph graph = classifier();
  PassContext context = context_for(Precision::kBf16);

  (void)kReduce.run(graph, context);

  const auto decisions = context.report.decisions();
  const auto of = [&](std::string_view node) {
    return *std::find_if(
        decisions.begin(), decisions.end(), [&](const Decision& d) { return d.node == node; });
  };
  EXPECT_TRUE(of("b").taken);
  EXPECT_EQ(of("b").reason, "computed in bf16");
  EXPECT_FALSE(of("logits").taken);
  EXPECT_EQ(of("logits").reason, "no sum follows that would even out its rounding");
}

TEST(ReducePrecision, OnlyWhereItIsWanted) {
  for (const Precision precision : {Precision::kFp32, Precision::kTf32}) {
    Graph graph = classifier();
    PassContext context = context_for(precision);

    EXPECT_FALSE(kReduce.run(graph, context));
    std::string reason = "the network is computed in ";
    reason += to_string(precision);
    ASSERT_EQ(context.report.decisions().size(), 1U);
    EXPECT_EQ(context.report.decisions()[0], (Decision{"reduce-precision", "", false, reason}));
  }
}

TEST(ReducePrecision, TwiceIsOnce) {
  for (const Precision precision : {Precision::kBf16, Precision::kFp16}) {
    Graph once = classifier();
    once.mark_output({once.find("pool"), 0});
    PassContext context = context_for(precision);
    (void)kReduce.run(once, context);
    Graph twice = once;

    EXPECT_FALSE(kReduce.run(twice, context));
    EXPECT_EQ(to_dot(twice), to_dot(once));
  }
}

TEST(ReducePrecision, OutputsStayFloat) {
  Graph graph = classifier();
  PassContext context = context_for(Precision::kBf16);
  for (const char* tap : {"normalized", "a", "both", "logits"}) {
    graph.mark_output({graph.find(tap), 0}, tap);
  }

  (void)kReduce.run(graph, context);

  graph.verify();
  for (const GraphOutput& output : graph.outputs()) {
    const DType type = graph.desc(output.value).dtype;
    EXPECT_TRUE(type == DType::kFloat32 || output.name == "indices") << output.name;
  }
  // Looking at values changes no type inside.
  EXPECT_EQ(type_of(graph, "a"), DType::kBFloat16);
  EXPECT_EQ(type_of(graph, "both"), DType::kBFloat16);
}

/// A chain of convolutions that ends in one, without a classifier's tail.
TEST(ReducePrecision, TheLastSumIsNotRounded) {
  Graph before;
  Value y = before.add(Input{{DType::kFloat32, {kBatch, 7, 7, 8}}}, {}, "x");
  for (std::uint64_t layer = 0; layer < 4; ++layer) {
    const std::string name = "conv" + std::to_string(layer);
    y = before.add(Conv2d{.pads = {1, 1, 1, 1}},
                   {y, random_constant(before, {8, 3, 3, 8}, layer + 1, name + "/w")},
                   name);
  }
  before.mark_output(y);
  Graph after = before;
  PassContext context = context_for(Precision::kBf16);

  (void)kReduce.run(after, context);

  EXPECT_EQ(type_of(after, "conv2"), DType::kBFloat16);
  EXPECT_EQ(type_of(after, "conv3"), DType::kFloat32);
  // 72 products a sum, three roundings on the way (the input, two sums) of at most 2^-9 each, and
  // they even out: the standard deviation of a result is about 2 * (2 * sqrt(72))^4 / 3.
  const float scale = std::pow(2.0F * std::sqrt(72.0F) * 1.1547F, 4.0F);
  EXPECT_LT(difference(before, after), scale * 0x1p-9F * 4);
  EXPECT_GT(difference(before, after), 0.0F);
}

/// Two depthwise convolutions, "a" and "last", each of which applies a Relu to its input.
Graph convolutions_behind_relus() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 2}}}, {}, "x");
  const Conv2d conv{.groups = 2, .input_activation = ActivationKind::kRelu};
  const Value w = random_constant(graph, {2, 1, 1, 1}, 1, "w");
  const Value a = graph.add(conv, {x, w}, "a");
  graph.mark_output(graph.add(conv, {a, w}, "last"));
  return graph;
}

TEST(ReducePrecision, ConvolutionsReadTheirInputAsItIs) {
  const Graph before = convolutions_behind_relus();
  Graph after = before;
  PassContext context = context_for(Precision::kBf16);

  EXPECT_TRUE(kReduce.run(after, context));

  after.verify();
  EXPECT_EQ(type_of(after, "x/bf16/relu"), DType::kBFloat16);
  EXPECT_EQ(after.node(after.find("a")).as<Conv2d>()->input_activation, ActivationKind::kNone);
  // What stays float32 stays as it is.
  EXPECT_EQ(after.node(after.find("last")).as<Conv2d>()->input_activation, ActivationKind::kRelu);
  // x, its product and that one's: three values up to 8, two of them rounded to 8 bits.
  EXPECT_LT(difference(before, after), 8 * 0x1p-9F * 2);
}

TEST(ReducePrecision, AReluStaysWhereHalvesMayBeReadThroughIt) {
  Graph graph = convolutions_behind_relus();
  PassContext context = context_for(Precision::kBf16);
  context.traits.fuses_half_input_relu = true;

  EXPECT_TRUE(kReduce.run(graph, context));

  graph.verify();
  EXPECT_EQ(count_ops<Relu>(graph), 0);
  EXPECT_EQ(graph.node(graph.find("a")).as<Conv2d>()->input_activation, ActivationKind::kRelu);
  EXPECT_EQ(type_of(graph, "a"), DType::kBFloat16);
}

TEST(ReducePrecision, OneReluForAllReaders) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 2}}}, {}, "x");
  const Conv2d conv{.groups = 2, .input_activation = ActivationKind::kRelu};
  const Value w = random_constant(graph, {2, 1, 1, 1}, 1, "w");
  const Value a = graph.add(conv, {x, w}, "a");
  const Value b = graph.add(conv, {x, w}, "b");
  const Value sum = graph.add(Add{}, {a, b}, "sum");
  graph.mark_output(graph.add(Conv2d{.groups = 2}, {sum, w}, "last"));
  PassContext context = context_for(Precision::kBf16);

  EXPECT_TRUE(kReduce.run(graph, context));

  graph.verify();
  EXPECT_EQ(count_ops<Relu>(graph), 1) << to_dot(graph);
}

TEST(ReducePrecision, OneCastForAllReaders) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 2}}}, {}, "x");
  const Value w = random_constant(graph, {2, 1, 1, 2}, 1, "w");
  const Value a = graph.add(Conv2d{}, {x, w}, "a");
  const Value b = graph.add(Conv2d{}, {x, w}, "b");
  const Value sum = graph.add(Add{}, {a, b}, "sum");
  graph.mark_output(graph.add(Conv2d{}, {sum, w}, "c"));
  graph.mark_output(sum);
  PassContext context = context_for(Precision::kBf16);

  EXPECT_TRUE(kReduce.run(graph, context));

  graph.verify();
  // x for both convolutions; the sum for the last one and for whoever looks at it.
  EXPECT_EQ(count_ops<Cast>(graph), 2) << to_dot(graph);
}

TEST(ReducePrecision, KnownActivationsAreCastAtOnce) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {2, 3, 3, 2}}}, {}, "x");
  const Value sum = graph.add(Add{}, {x, random_constant(graph, {2, 3, 3, 2}, 1, "grid")}, "sum");
  graph.mark_output(
      graph.add(Conv2d{}, {sum, random_constant(graph, {2, 1, 1, 2}, 2, "w")}, "conv"));
  PassContext context = context_for(Precision::kFp16);

  EXPECT_TRUE(kReduce.run(graph, context));

  graph.verify();
  EXPECT_EQ(type_of(graph, "sum"), DType::kFloat16);
  EXPECT_NE(graph.node(graph.find("grid/f16")).as<Constant>(), nullptr);
  EXPECT_EQ(count_ops<Cast>(graph), 2);
}

TEST(ReducePrecision, AroundOperatorsWithoutAForm) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6}}}, {}, "x");
  const auto dense = [&](Value from, std::uint64_t seed, const std::string& name) {
    const std::int64_t size = graph.desc(from).shape[1];
    return graph.add(Dense{}, {from, random_constant(graph, {4, size}, seed, name + "/w")}, name);
  };
  const Value top = graph.add(TopK{3}, {dense(x, 1, "before")}, "top");
  graph.mark_output(dense(dense(top, 2, "behind"), 3, "last"));
  PassContext context = context_for(Precision::kBf16);

  EXPECT_TRUE(kReduce.run(graph, context));

  graph.verify();
  EXPECT_EQ(type_of(graph, "before"), DType::kBFloat16);
  EXPECT_EQ(type_of(graph, "top"), DType::kFloat32);
  EXPECT_EQ(type_of(graph, "behind"), DType::kBFloat16);
  EXPECT_EQ(refusal(context), "TopK has no form in bf16");
}

}  // namespace
}  // namespace fovea
