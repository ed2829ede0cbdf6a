#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::fusing_context;
using test::random_constant;

const Pass kPass = find_pass("fuse-siblings");

constexpr Activation kRelu{.kind = ActivationKind::kRelu};
constexpr std::string_view kNonePartly =
    "its siblings have another activation, and in this precision the target applies none to some "
    "channels only";
constexpr Activation kTanh{.kind = ActivationKind::kTanh};

/// Convolutions of one picture x [N,6,5,12], each of which a pool of its own reads.
class Siblings {
 public:
  Siblings() : x_(graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 12}}}, {}, "x")) {}

  /// A 1x1 convolution of x, or whatever `conv` and `kernel` say.
  Value add(const std::string& name,
            std::int64_t channels,
            Conv2d conv = {.bias = true, .activation = kRelu},
            std::int64_t kernel = 1) {
    ++seed_;
    std::vector<Value> inputs{
        x_, random_constant(graph, {channels, kernel, kernel, 12}, seed_, name + "/w")};
    if (conv.bias) inputs.push_back(random_constant(graph, {channels}, seed_ + 100, name + "/b"));
    return graph.add(conv, inputs, name);
  }

  /// Reads the value by a pool and lets the sum of all that is read be the output.
  void read(Value value) {
    const Value pooled = graph.add(GlobalPool{}, {value}, graph.node(value).name + "/pool");
    read_.push_back(pooled);
  }

  Graph finish() {
    graph.mark_output(graph.add(Concat{1}, read_, "y"));
    return std::move(graph);
  }

  Graph graph;

 private:
  Value x_;
  std::uint64_t seed_ = 0;
  std::vector<Value> read_;
};

/// Why the pass left the node of that name alone, or "".
std::string refusal_of(const PassContext& context, const std::string& node) {
  for (const Decision& decision : context.report.decisions()) {
    if (decision.node == node && !decision.taken) return decision.reason;
  }
  return {};
}

/// Where the value of that name lies in a joined convolution.
void expect_slice(const Graph& graph,
                  const std::string& name,
                  std::int64_t begin,
                  std::int64_t size) {
  const NodeId id = graph.find(name);
  ASSERT_GE(id, 0) << name;
  const auto* slice = graph.node(id).as<Slice>();
  ASSERT_NE(slice, nullptr) << name;
  EXPECT_EQ(*slice, (Slice{.axis = 3, .begin = begin, .size = size})) << name;
}

TEST(FuseSiblings, ConvolutionsOfOneInputBecomeOne) {
  Siblings net;
  net.read(net.add("a", 5));
  net.read(net.add("b", 3, {.activation = kRelu}));
  net.read(net.add("c", 7));
  const Graph before = net.finish();
  Graph after = before;
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Conv2d>(after), 1);
  expect_slice(after, "a", 0, 5);
  expect_slice(after, "b", 5, 3);
  expect_slice(after, "c", 8, 7);
  EXPECT_EQ(after.node(after.find("a/siblings")).as<Conv2d>()->activation_channels, 0);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSiblings, SaysWhoJoinsWhomAndWhoHasNoSibling) {
  Siblings net;
  net.read(net.add("a", 5));
  net.read(net.add("b", 3));
  net.read(net.add("c", 7));
  net.read(net.add("window", 4, {.pads = {1, 1, 1, 1}}, 3));
  Graph graph = net.finish();
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(graph, context));

  for (const auto& [node, reason] : {std::pair{"a", "computed with 'b', 'c' by one convolution"},
                                     std::pair{"b", "computed with 'a', 'c' by one convolution"},
                                     std::pair{"c", "computed with 'a', 'b' by one convolution"}}) {
    const Decision expected{std::string(kPass.name), node, true, reason};
    EXPECT_EQ(std::ranges::count(context.report.decisions(), expected), 1) << node;
  }
  EXPECT_EQ(refusal_of(context, "window"),
            "no other convolution of its input has its window, strides and border");
}

TEST(FuseSiblings, SaysThatAGroupedConvolutionStaysApart) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 4}}}, {}, "x");
  const Value depthwise = random_constant(graph, {4, 3, 3, 1}, 1, "w1");
  const Value plain = random_constant(graph, {4, 3, 3, 4}, 2, "w2");
  graph.mark_output(graph.add(Conv2d{.groups = 4}, {x, depthwise}, "depthwise"));
  graph.mark_output(graph.add(Conv2d{}, {x, plain}, "plain"));
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(graph, context));

  EXPECT_EQ(refusal_of(context, "depthwise"), "it is a grouped convolution");
}

TEST(FuseSiblings, SaysThatTheTargetAppliesNoActivationToSomeChannels) {
  Siblings net;
  net.read(net.add("a", 5));
  net.read(net.add("b", 3, {}));
  Graph graph = net.finish();
  PassContext context = fusing_context();
  context.traits.partial_activations = 0;

  EXPECT_FALSE(kPass.run(graph, context));

  EXPECT_EQ(refusal_of(context, "a"), kNonePartly);
}

TEST(FuseSiblings, SaysThatOnlyTheActivationIsAnother) {
  Siblings net;
  net.read(net.add("a", 5));
  net.read(net.add("b", 3, {}));
  net.read(net.add("c", 3, {.activation = kTanh}));
  Graph graph = net.finish();
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(graph, context));

  EXPECT_EQ(refusal_of(context, "c"), "its siblings have another activation");
}

TEST(FuseSiblings, LargerWindowsWithEqualAttributesToo) {
  const Conv2d conv{.strides = {2, 1}, .pads = {1, 1, 1, 1}};
  Siblings net;
  net.read(net.add("a", 4, conv, 3));
  net.read(net.add("b", 4, conv, 3));
  const Graph before = net.finish();
  Graph after = before;
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(after, context));

  after.verify();
  const Node& joined = after.node(after.find("a/siblings"));
  EXPECT_FALSE(joined.as<Conv2d>()->bias);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSiblings, WeightsAreJoinedWhenTheyAreRead) {
  Siblings net;
  net.read(net.add("a", 5));
  net.read(net.add("b", 3));
  Graph graph = net.finish();
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(graph, context));

  const Constant& weights = *graph.node(graph.find("a/siblings/weights")).as<Constant>();
  EXPECT_NE(weights.key().find("joined rows"), std::string::npos) << weights.key();
  EXPECT_NE(weights.data->read().data(), weights.data->read().data()) << "it holds the bytes";
}

TEST(FuseSiblings, ThoseWithoutActivationFollowThoseWithOne) {
  Siblings net;
  net.read(net.add("shortcut", 6, {.bias = true}));
  net.read(net.add("first", 4));
  net.read(net.add("second", 2));
  const Graph before = net.finish();
  Graph after = before;
  PassContext context = fusing_context();

  ASSERT_TRUE(kPass.run(after, context));

  after.verify();
  expect_slice(after, "first", 0, 4);
  expect_slice(after, "second", 4, 2);
  expect_slice(after, "shortcut", 6, 6);
  const auto& joined = *after.node(after.find("first/siblings")).as<Conv2d>();
  EXPECT_EQ(joined.activation, kRelu);
  EXPECT_EQ(joined.activation_channels, 6);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(FuseSiblings, OtherActivationsStayApart) {
  Siblings net;
  net.read(net.add("a", 6));
  net.read(net.add("b", 4, {.activation = kTanh}));
  net.read(net.add("c", 2, {.activation = kTanh}));
  net.read(net.add("d", 2, {}));
  Graph graph = net.finish();
  PassContext context = fusing_context();
  context.traits.partial_activations = 0;

  ASSERT_TRUE(kPass.run(graph, context));

  expect_slice(graph, "b", 0, 4);
  expect_slice(graph, "c", 4, 2);
  EXPECT_EQ(refusal_of(context, "a"), kNonePartly);
  EXPECT_EQ(refusal_of(context, "d"), kNonePartly);
}

TEST(FuseSiblings, ThoseWithoutActivationFollowOnlyOneThatTheTargetAppliesToSomeChannels) {
  Siblings net;
  net.read(net.add("a", 6, {.activation = kTanh}));
  net.read(net.add("b", 4, {.activation = kTanh}));
  net.read(net.add("c", 2));
  net.read(net.add("d", 2, {}));
  const Graph before = net.finish();
  Graph after = before;
  PassContext context = fusing_context();
  context.traits.partial_activations = 1U << static_cast<unsigned>(ActivationKind::kRelu);

  ASSERT_TRUE(kPass.run(after, context));

  expect_slice(after, "a", 0, 6);
  expect_slice(after, "b", 6, 4);
  expect_slice(after, "c", 0, 2);
  expect_slice(after, "d", 2, 2);
  EXPECT_EQ(difference(before, after), 0.0F);

  Graph half = before;
  PassContext reduced = fusing_context();
  reduced.precision = Precision::kBf16;
  ASSERT_TRUE(kPass.run(half, reduced));
  EXPECT_EQ(refusal_of(reduced, "c"), kNonePartly);
  EXPECT_EQ(refusal_of(reduced, "d"), kNonePartly);
}

TEST(FuseSiblings, OtherWindowsAreNoSiblings) {
  Siblings net;
  net.read(net.add("a", 4));
  net.read(net.add("b", 4, {.pads = {1, 1, 1, 1}}, 3));
  net.read(net.add("c", 4, {.strides = {2, 2}}));
  net.read(net.add("d", 4, {.pads = {0, 0, 1, 0}}));
  net.read(net.add("e", 4, {.dilations = {2, 1}}));
  Graph graph = net.finish();
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(graph, context));
  for (const char* node : {"a", "b", "c", "d", "e"}) {
    EXPECT_EQ(refusal_of(context, node),
              "no other convolution of its input has its window, strides and border");
  }
}

TEST(FuseSiblings, WhatGoesStraightIntoAConcatStaysApart) {
  Siblings net;
  const Value a = net.add("a", 4);
  const Value b = net.add("b", 4);
  net.read(net.add("c", 4));
  net.read(net.graph.add(Concat{3}, {a, b}, "concat"));
  const Graph before = net.finish();
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(after, context));
  EXPECT_EQ(refusal_of(context, "a"), "it is written straight into its place in 'concat'");
  EXPECT_EQ(refusal_of(context, "b"), "it is written straight into its place in 'concat'");
  EXPECT_EQ(refusal_of(context, "c"), "all its siblings stay apart");

  // A target that copies into a Concat anyway has nothing to lose, but needs the inputs dense.
  PassContext copying = fusing_context();
  copying.traits.writes_slices = false;
  EXPECT_FALSE(kPass.run(after, copying));
  EXPECT_EQ(refusal_of(copying, "a"), "'concat' (Concat) needs it dense");
}

TEST(FuseSiblings, NotWhereItsConditionsFail) {
  Siblings net;
  net.read(net.add("a", 4));
  const Value seen = net.add("seen", 4);
  net.read(seen);
  net.graph.mark_output(seen);
  const Value flat = net.add("flat", 4);
  net.read(flat);
  net.graph.mark_output(net.graph.add(Reshape{{kBatch, 120}}, {flat}, "reshape"));
  Conv2d partial{.activation = kRelu, .activation_channels = 2};
  net.read(net.add("partial", 4, partial));
  net.read(net.graph.add(
      Conv2d{.residual = true},
      {{net.graph.find("x"), 0}, random_constant(net.graph, {4, 1, 1, 12}, 50, "residual/w"), seen},
      "residual"));
  const Value unknown =
      net.graph.add(Constant{{DType::kFloat32, {4, 1, 1, 12}}, nullptr}, {}, "unknown/w");
  net.read(net.graph.add(Conv2d{}, {{net.graph.find("x"), 0}, unknown}, "unknown"));
  Graph graph = net.finish();
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal_of(context, "a"), "all its siblings stay apart");
  EXPECT_EQ(refusal_of(context, "seen"), "it is an output of the graph");
  EXPECT_EQ(refusal_of(context, "flat"), "'reshape' (Reshape) needs it dense");
  EXPECT_EQ(refusal_of(context, "partial"), "its activation applies to some channels only");
  EXPECT_EQ(refusal_of(context, "residual"), "it adds a residual");
  EXPECT_EQ(refusal_of(context, "unknown"), "its parameters are not constant");
}

TEST(FuseSiblings, NotWhereTheTargetCannotReadSlices) {
  Siblings net;
  net.read(net.add("a", 4));
  net.read(net.add("b", 4));
  Graph graph = net.finish();
  PassContext context = fusing_context();
  context.traits.reads_slices = false;

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal_of(context, "a"), "the target does not read channel slices");
}

TEST(FuseSiblings, SlicesStartWhereTheTargetWantsThem) {
  Siblings net;
  net.read(net.add("a", 8));
  net.read(net.add("b", 6));
  net.read(net.add("c", 4));
  Graph graph = net.finish();
  PassContext context = fusing_context();
  context.traits.pixel_alignment_bytes = 16;

  ASSERT_TRUE(kPass.run(graph, context));

  expect_slice(graph, "c", 8, 4);
  EXPECT_EQ(refusal_of(context, "b"), "slices start at multiples of 4 channels, and it has 6");
}

TEST(FuseSiblings, OnlyWhereReadingOnceSavesEnough) {
  Siblings net;
  net.read(net.add("a", 50));
  net.read(net.add("b", 50));
  Graph graph = net.finish();
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal_of(context, "a"), "it would save 9 % of the traffic, less than 10");
  EXPECT_EQ(refusal_of(context, "b"), "it would save 9 % of the traffic, less than 10");
}

}  // namespace
}  // namespace fovea
