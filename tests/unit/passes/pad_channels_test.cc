#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;
using test::fusing_context;
using test::random_constant;

const Pass kPass = find_pass("pad-channels");

constexpr Activation kRelu{.kind = ActivationKind::kRelu};
constexpr Activation kSigmoid{.kind = ActivationKind::kSigmoid};

/// Rounding of sums of at most 100 products; zeros add nothing.
constexpr float kRounding = 1e-5F;

PassContext padding_context(int alignment = 8) {
  PassContext context = fusing_context();
  context.traits.pixel_alignment_bytes = 4 * alignment;
  return context;
}

/// Convolutions by name over a picture of 5 x 5 pixels.
class Net {
 public:
  explicit Net(std::int64_t channels)
      : x(graph.add(Input{{DType::kFloat32, {kBatch, 5, 5, channels}}}, {}, "x")) {}

  Value conv(Value from,
             const std::string& name,
             std::int64_t channels,
             Conv2d op = {.pads = {1, 1, 1, 1}, .bias = true, .activation = kRelu},
             std::vector<Value> more = {}) {
    const std::int64_t side = op.pads[0] == 1 ? 3 : 1;
    const std::int64_t depth = graph.desc(from).shape[3] / op.groups;
    std::vector<Value> inputs{
        from, random_constant(graph, {channels, side, side, depth}, ++seed_, name + "/w")};
    if (op.bias) inputs.push_back(random_constant(graph, {channels}, ++seed_, name + "/b"));
    inputs.insert(inputs.end(), more.begin(), more.end());
    return graph.add(op, inputs, name);
  }

  Graph finish(Value y) {
    graph.mark_output(y, "y");
    return std::move(graph);
  }

  Graph graph;
  Value x;

 private:
  std::uint64_t seed_ = 0;
};

std::int64_t channels_of(const Graph& graph, const std::string& name) {
  return graph.node(graph.find(name)).outputs[0].shape.back();
}

/// Runs the pass and expects the meaning to be the same.
Graph padded(const Graph& before, PassContext context = padding_context()) {
  Graph after = before;
  EXPECT_TRUE(kPass.run(after, context)) << test::refusal(context);
  after.verify();
  EXPECT_LT(difference(before, after), kRounding);
  return after;
}

/// The pass leaves the graph alone and says this of the node.
void expect_refused(const Graph& before, const std::string& node, const std::string& reason) {
  Graph graph = before;
  PassContext context = padding_context();

  EXPECT_FALSE(kPass.run(graph, context));

  for (const Decision& decision : context.report.decisions()) {
    if (decision.node == node) {
      EXPECT_EQ(decision.reason, reason);
    }
  }
  EXPECT_EQ(test::refusal(context), reason);
}

TEST(PadChannels, ChannelsBetweenConvolutionsAreFilledUp) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  const Value b = net.conv(a, "b", 11, {.bias = true, .activation = kSigmoid});
  const Graph before = net.finish(net.conv(b, "c", 5));

  const Graph after = padded(before);

  EXPECT_EQ(channels_of(after, "a"), 8);
  EXPECT_EQ(channels_of(after, "b"), 16);
  EXPECT_EQ(channels_of(after, "c"), 5) << "no convolution reads it";
  EXPECT_EQ(count_ops<Slice>(after), 0);
  EXPECT_EQ(channels_of(padded(before, padding_context(4)), "b"), 12);
}

TEST(PadChannels, NothingOnATargetWithoutAlignment) {
  Net net(16);
  Graph graph = net.finish(net.conv(net.conv(net.x, "a", 6), "b", 6));
  PassContext context = padding_context(1);

  EXPECT_FALSE(kPass.run(graph, context));
  ASSERT_EQ(context.report.decisions().size(), 1U);
  EXPECT_EQ(context.report.decisions()[0],
            (Decision{"pad-channels", "", false, "the target asks for no multiple of channels"}));
}

TEST(PadChannels, WeightsArePaddedWhenTheyAreRead) {
  Net net(16);
  const Graph after = padded(net.finish(net.conv(net.conv(net.x, "a", 6), "b", 8)));

  const Constant& weights = *after.node(after.find("b/padded_weights")).as<Constant>();
  EXPECT_EQ(weights.desc.shape, (Shape{8, 3, 3, 8}));
  EXPECT_NE(weights.key().find("with zeros"), std::string::npos) << weights.key();
  EXPECT_NE(weights.data->read().data(), weights.data->read().data()) << "it holds the bytes";
}

TEST(PadChannels, NormalizedPicturesToo) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, 5, 5, 3}}}, {}, "pixels");
  const Value x = graph.add(
      NormalizeImage{normalization_constants(Normalization::kTf), 0}, {pixels}, "normalize");
  const Value w = random_constant(graph, {8, 3, 3, 3}, 1, "w");
  graph.mark_output(graph.add(Conv2d{}, {x, w}, "conv"));

  const Graph after = padded(graph);

  EXPECT_EQ(channels_of(after, "normalize"), 8);
}

TEST(PadChannels, PoolsActivationsAndSumsPassThePadOn) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  Value b = net.graph.add(MaxPool{.kernel = {2, 2}, .pads = {0, 0, 1, 1}}, {a}, "max");
  b = net.graph.add(AveragePool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, {b}, "average");
  b = net.graph.add(Sigmoid{}, {b}, "sigmoid");
  const Value sum = net.graph.add(Add{}, {a, b}, "sum");
  const Value c = net.conv(sum, "c", 6, {.pads = {1, 1, 1, 1}, .residual = true}, {b});
  const Graph before = net.finish(net.conv(c, "d", 2));

  const Graph after = padded(before);

  for (const char* name : {"a", "max", "average", "sigmoid", "sum", "c"}) {
    EXPECT_EQ(channels_of(after, name), 8) << name;
  }
  EXPECT_EQ(count_ops<Slice>(after), 0);
}

TEST(PadChannels, OthersReadTheChannelsThatThereWere) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  const Value pooled = net.graph.add(GlobalPool{}, {a}, "pooled");
  const Value best = net.graph.add(GlobalPool{.kind = PoolKind::kMax}, {a}, "best");
  const Value c = net.graph.add(GlobalPool{}, {net.conv(a, "c", 4)}, "c/pooled");
  const Graph before = net.finish(net.graph.add(Concat{1}, {pooled, best, c}, "concat"));

  const Graph after = padded(before);

  EXPECT_EQ(count_ops<Slice>(after), 1) << "one for both";
  EXPECT_EQ(after.node(after.find("pooled")).inputs[0].node, after.find("a/without_pad"));
  EXPECT_EQ(channels_of(after, "pooled"), 6);
}

TEST(PadChannels, NotWhereAConcatJoinsTheChannels) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  const Value both = net.graph.add(Concat{3}, {a, net.conv(a, "b", 8)}, "concat");

  expect_refused(
      net.finish(both), "a", "the pad would lie between the channels that 'concat' joins");
}

TEST(PadChannels, NotWhereAReaderNeedsItDense) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  net.graph.mark_output(net.graph.add(Reshape{{kBatch, 150}}, {a}, "flat"));

  expect_refused(net.finish(net.conv(a, "b", 8)), "a", "'flat' (Reshape) needs it dense");
}

TEST(PadChannels, NotAnOutputOfTheGraph) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  net.graph.mark_output(a);

  expect_refused(net.finish(net.conv(a, "b", 8)), "a", "'a' is an output of the graph");
}

TEST(PadChannels, NotWhatItsProducerCannotPad) {
  Net net(6);
  expect_refused(net.finish(net.conv(net.x, "a", 8)), "x", "'x' (Input) gives no padded result");

  Net grouped(6);
  const Value a = grouped.conv(grouped.x, "a", 6, {.groups = 2});
  const Graph graph = grouped.finish(grouped.conv(a, "b", 8));
  Graph after = graph;
  PassContext context = padding_context();
  EXPECT_FALSE(kPass.run(after, context));
  EXPECT_EQ(test::refusal(context), "'a' takes no filters of zero");
}

TEST(PadChannels, AllThatIsAddedOrNothing) {
  Net net(16);
  const Value a = net.conv(net.x, "a", 6);
  const Value b = net.graph.add(Input{{DType::kFloat32, {kBatch, 5, 5, 6}}}, {}, "b");
  const Value sum = net.graph.add(Add{}, {a, b}, "sum");
  const Value c = net.conv(a, "c", 8);
  net.graph.mark_output(c);

  expect_refused(net.finish(net.conv(sum, "d", 8)), "a", "'b' (Input) gives no padded result");
}

}  // namespace
}  // namespace fovea
