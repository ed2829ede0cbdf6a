#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/graph.h>

#include "engine/api/model_graph.h"
#include "engine/graph/weights.h"
#include "tests/support/evaluate_graph.h"

namespace fovea {
namespace {

/// The network that `describe` builds on an input "x" of that shape.
Graph build(const Shape& shape, const std::function<Tensor(GraphBuilder&, Tensor)>& describe) {
  GraphBuilder net;
  net.output(describe(net, net.input(shape, "x")), "y");
  return ModelGraphAccess::graph(net.build());
}

const Node& node(const Graph& graph, std::string_view name) {
  return graph.node(graph.find(name));
}

const TensorDesc& result(const Graph& graph) {
  return graph.desc(graph.outputs()[0].value);
}

TensorDesc f32(Shape shape) {
  return {DType::kFloat32, std::move(shape)};
}

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

/// y for x = 1, 2, ... with every parameter 1, 2, ... too.
std::vector<float> run_counting(const Graph& graph) {
  Graph loaded = with_batch(graph, 1);
  NamedTensors tensors;
  for (const Node& parameter : loaded.nodes()) {
    if (parameter.as<Constant>() == nullptr) continue;
    const auto values =
        counting(static_cast<std::size_t>(num_elements(parameter.outputs[0].shape)));
    const auto bytes = std::as_bytes(std::span(values));
    tensors[parameter.name] = {parameter.outputs[0], Buffer::from({bytes.begin(), bytes.end()})};
  }
  load_weights(loaded, tensors);
  const auto elements = static_cast<std::size_t>(num_elements(node(loaded, "x").outputs[0].shape));
  return test::evaluate_graph(loaded, {{"x", counting(elements)}})
      .at(value_name(loaded, loaded.outputs()[0].value));
}

std::string message_of(const std::function<void(GraphBuilder&, Tensor)>& wrong,
                       const Shape& shape = {8, 8, 4}) {
  GraphBuilder net;
  const Tensor x = net.input(shape, "x");
  try {
    wrong(net, x);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(GraphBuilder, DeclaresParametersAsKerasStoresThem) {
  const Graph graph = build({9, 9, 4}, [](GraphBuilder& net, Tensor x) {
    x = net.conv2d(x, {.filters = 6, .kernel = {3, 5}, .groups = 2}, "conv");
    x = net.depthwise_conv2d(x, {.kernel = {1, 2}}, "depthwise");
    x = net.batch_norm(x, {.epsilon = 0.5}, "bn");
    x = net.separable_conv2d(x, {.filters = 5, .kernel = {2, 3}}, "separable");
    x = net.global_average_pool2d(x, "pool");
    return net.dense(x, {.units = 10}, "dense");
  });

  EXPECT_EQ(node(graph, "conv/kernel").outputs[0], f32({3, 5, 2, 6}));
  EXPECT_EQ(node(graph, "conv/bias").outputs[0], f32({6}));
  EXPECT_EQ(node(graph, "depthwise/kernel").outputs[0], f32({1, 2, 6, 1}));
  EXPECT_EQ(node(graph, "depthwise/bias").outputs[0], f32({6}));
  EXPECT_EQ(node(graph, "separable/depthwise_kernel").outputs[0], f32({2, 3, 6, 1}));
  EXPECT_EQ(node(graph, "separable/pointwise_kernel").outputs[0], f32({1, 1, 6, 5}));
  EXPECT_EQ(node(graph, "separable/bias").outputs[0], f32({5}));
  EXPECT_EQ(node(graph, "dense/kernel").outputs[0], f32({5, 10}));
  EXPECT_EQ(node(graph, "dense/bias").outputs[0], f32({10}));
  EXPECT_EQ(node(graph, "bn").as<BatchNorm>()->epsilon, 0.5);
  for (const auto* name : {"bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"}) {
    EXPECT_EQ(node(graph, name).outputs[0], f32({6})) << name;
    EXPECT_EQ(node(graph, name).as<Constant>()->data, nullptr) << name;
  }
  graph.verify();
}

TEST(GraphBuilder, ReadsAConvolutionKernelAsRowsColumnsInOut) {
  const Graph graph = build({1, 2, 2}, [](GraphBuilder& net, Tensor x) {
    return net.conv2d(x, {.filters = 2, .kernel = {1, 2}}, "conv");
  });

  // x = ((1 2) (3 4)); kernel[0][column][in][out] = 1 + 4 * column + 2 * in + out; bias = (1 2).
  EXPECT_EQ(
      run_counting(graph),
      (std::vector<float>{1 * 1 + 2 * 3 + 3 * 5 + 4 * 7 + 1, 1 * 2 + 2 * 4 + 3 * 6 + 4 * 8 + 2}));
}

TEST(GraphBuilder, ReadsADepthwiseKernelAsRowsColumnsChannels) {
  const Graph graph = build({1, 2, 2}, [](GraphBuilder& net, Tensor x) {
    return net.depthwise_conv2d(x, {.kernel = {1, 2}, .use_bias = false}, "depthwise");
  });

  // kernel[0][column][channel][0] = 1 + 2 * column + channel.
  EXPECT_EQ(run_counting(graph), (std::vector<float>{1 * 1 + 3 * 3, 2 * 2 + 4 * 4}));
}

TEST(GraphBuilder, ConvolvesSeparablyInTwoSteps) {
  const Graph graph = build({1, 3, 2}, [](GraphBuilder& net, Tensor x) {
    return net.separable_conv2d(x,
                                {.filters = 2,
                                 .kernel = {1, 2},
                                 .strides = {1, 2},
                                 .padding = Padding::same(),
                                 .activation = ActivationFunction::kRelu},
                                "separable");
  });

  // x = ((1 2) (3 4) (5 6)), one column of padding after. depthwise_kernel[0][column][channel][0] =
  // 1 + 2 * column + channel: (10 20) and (5 12); pointwise_kernel[0][0][in][out] = 1 + 2 * in +
  // out; bias = (1 2).
  EXPECT_EQ(run_counting(graph),
            (std::vector<float>{
                10 * 1 + 20 * 3 + 1, 10 * 2 + 20 * 4 + 2, 5 * 1 + 12 * 3 + 1, 5 * 2 + 12 * 4 + 2}));
  const auto* depthwise = node(graph, "separable/depthwise").as<Conv2d>();
  ASSERT_NE(depthwise, nullptr);
  EXPECT_EQ(depthwise->groups, 2);
  EXPECT_FALSE(depthwise->bias);
  EXPECT_NE(node(graph, "separable/pre_activation").as<Conv2d>(), nullptr);
  EXPECT_NE(node(graph, "separable").as<Relu>(), nullptr);
}

TEST(GraphBuilder, ReadsADenseKernelAsInOut) {
  const Graph graph = build({2}, [](GraphBuilder& net, Tensor x) {
    return net.dense(x, {.units = 3, .use_bias = false}, "dense");
  });

  EXPECT_EQ(run_counting(graph), (std::vector<float>{1 * 1 + 2 * 4, 1 * 2 + 2 * 5, 1 * 3 + 2 * 6}));
}

TEST(GraphBuilder, PutsAnActivationInANodeOfItsOwn) {
  const Graph graph = build({3}, [](GraphBuilder& net, Tensor x) {
    x = net.dense(x, {.units = 4, .activation = ActivationFunction::kRelu6}, "hidden");
    return net.dense(x, {.units = 2, .activation = ActivationFunction::kSoftmax}, "out");
  });

  ASSERT_NE(node(graph, "hidden").as<Clip>(), nullptr);
  EXPECT_EQ(*node(graph, "hidden").as<Clip>(), (Clip{0.0F, 6.0F}));
  EXPECT_NE(node(graph, "hidden/pre_activation").as<Dense>(), nullptr);
  EXPECT_NE(node(graph, "out").as<Softmax>(), nullptr);
  EXPECT_EQ(graph.node(node(graph, "out").inputs[0]).name, "out/pre_activation");
}

TEST(GraphBuilder, MakesEveryActivation) {
  const auto op_of = [](ActivationFunction function) {
    return std::string(op_name(
        node(build({3},
                   [&](GraphBuilder& net, Tensor x) { return net.activation(x, function, "a"); }),
             "a")
            .op));
  };
  EXPECT_EQ(op_of(ActivationFunction::kLinear), "Identity");
  EXPECT_EQ(op_of(ActivationFunction::kRelu), "Relu");
  EXPECT_EQ(op_of(ActivationFunction::kRelu6), "Clip");
  EXPECT_EQ(op_of(ActivationFunction::kTanh), "Tanh");
  EXPECT_EQ(op_of(ActivationFunction::kSigmoid), "Sigmoid");
  EXPECT_EQ(op_of(ActivationFunction::kSoftmax), "Softmax");
}

TEST(GraphBuilder, PadsAsKeras) {
  // Rows: 8 by 2 with a window of 5: 4 positions, 3 more rows, 1 before and 2 after.
  // Columns: 7 by 3 with a window of 3 at a dilation of 2 (5 wide): 3 positions, 4 more, 2 and 2.
  const Graph same = build({8, 7, 1}, [](GraphBuilder& net, Tensor x) {
    return net.conv2d(x,
                      {.filters = 1,
                       .kernel = {5, 3},
                       .strides = {2, 3},
                       .padding = Padding::same(),
                       .dilation = {1, 2}},
                      "conv");
  });
  EXPECT_EQ(node(same, "conv").as<Conv2d>()->pads, (Pads{1, 2, 2, 2}));
  EXPECT_EQ(result(same), f32({kBatch, 4, 3, 1}));

  const Graph given = build({8, 7, 1}, [](GraphBuilder& net, Tensor x) {
    return net.max_pool2d(x, {.pool_size = {2, 3}, .padding = Padding::of({1, 0, 0, 2})}, "pool");
  });
  EXPECT_EQ(node(given, "pool").as<MaxPool>()->pads, (Pads{1, 0, 0, 2}));
  EXPECT_EQ(node(given, "pool").as<MaxPool>()->strides, (std::array<std::int64_t, 2>{2, 3}));
  EXPECT_EQ(result(given), f32({kBatch, 4, 3, 1}));
}

TEST(GraphBuilder, LeavesPaddingOutOfAverages) {
  const Graph graph = build({1, 3, 1}, [](GraphBuilder& net, Tensor x) {
    return net.average_pool2d(
        x, {.pool_size = {1, 2}, .strides = {{1, 1}}, .padding = Padding::same()}, "pool");
  });

  EXPECT_EQ(run_counting(graph), (std::vector<float>{1.5F, 2.5F, 3.0F}));
}

TEST(GraphBuilder, FixesGammaAndBetaThatKerasLeavesOut) {
  const Graph graph = build({1, 1, 2}, [](GraphBuilder& net, Tensor x) {
    return net.batch_norm(x, {.epsilon = 0.0, .scale = false, .center = false}, "bn");
  });

  EXPECT_EQ(graph.find("bn/gamma"), -1);
  EXPECT_EQ(graph.find("bn/beta"), -1);
  const Node& bn = node(graph, "bn");
  for (const auto& [input, value] : {std::pair{1, 1.0F}, std::pair{2, 0.0F}}) {
    const auto& data = graph.node(bn.inputs[static_cast<std::size_t>(input)]).as<Constant>()->data;
    ASSERT_NE(data, nullptr);
    std::vector<float> values(2);
    std::memcpy(values.data(), data->read().data(), data->size());
    EXPECT_EQ(values, (std::vector<float>{value, value}));
  }
}

TEST(GraphBuilder, NormalisesByTheChannelsAround) {
  const Graph graph = build({1, 1, 3}, [](GraphBuilder& net, Tensor x) {
    return net.local_response_norm(x, {.size = 3, .alpha = 6.0, .beta = 0.5, .bias = 2.0}, "norm");
  });

  // x = (1 2 3): x[c] / sqrt(2 + 6 / 3 * sum), the sums 1 + 4, 1 + 4 + 9 and 4 + 9.
  const std::vector<float> y = run_counting(graph);
  ASSERT_EQ(y.size(), 3U);
  EXPECT_FLOAT_EQ(y[0], 1.0F / std::sqrt(12.0F));
  EXPECT_FLOAT_EQ(y[1], 2.0F / std::sqrt(30.0F));
  EXPECT_FLOAT_EQ(y[2], 3.0F / std::sqrt(28.0F));
  const std::string window = message_of(
      [](GraphBuilder& net, Tensor x) { (void)net.local_response_norm(x, {.size = 0}, "norm"); });
  EXPECT_TRUE(contains(window, "'norm'") && contains(window, "window")) << window;
}

TEST(GraphBuilder, JoinsAndReshapes) {
  const Graph graph = build({2, 3, 4}, [](GraphBuilder& net, Tensor x) {
    const Tensor padded = net.zero_padding2d(x, {1, 2, 3, 4}, "pad");
    EXPECT_EQ(net.desc(padded), f32({kBatch, 6, 9, 4}));
    x = net.multiply(net.add(x, x, "sum"), net.parameter("factor", {4}), "product");
    x = net.concatenate({x, x, x}, "channels");
    x = net.concatenate({x, x}, "rows", 1);
    return net.softmax(net.flatten(x, "flat"), "softmax");
  });

  EXPECT_EQ(node(graph, "channels").outputs[0], f32({kBatch, 2, 3, 12}));
  EXPECT_EQ(node(graph, "rows").outputs[0], f32({kBatch, 4, 3, 12}));
  EXPECT_EQ(node(graph, "flat").outputs[0], f32({kBatch, 144}));
  EXPECT_EQ(graph.outputs()[0].name, "y");
}

TEST(GraphBuilder, NamesTheLayerThatIsWrong) {
  const std::string taken =
      message_of([](GraphBuilder& net, Tensor x) { (void)net.flatten(x, "x"); });
  EXPECT_TRUE(contains(taken, "layer 'x'") && contains(taken, "taken")) << taken;

  const std::string none =
      message_of([](GraphBuilder& net, Tensor) { (void)net.flatten({}, "flat"); });
  EXPECT_TRUE(contains(none, "layer 'flat'") && contains(none, "no value")) << none;

  const std::string rank =
      message_of([](GraphBuilder& net, Tensor x) { (void)net.dense(x, {.units = 1}, "fc"); });
  EXPECT_TRUE(contains(rank, "layer 'fc'") && contains(rank, "f32[N,8,8,4]")) << rank;

  const std::string groups = message_of([](GraphBuilder& net, Tensor x) {
    (void)net.conv2d(x, {.filters = 4, .groups = 3}, "conv");
  });
  EXPECT_TRUE(contains(groups, "layer 'conv'") && contains(groups, "3 groups")) << groups;

  const std::string filters = message_of([](GraphBuilder& net, Tensor x) {
    (void)net.conv2d(x, {.filters = 3, .groups = 2}, "conv");
  });
  EXPECT_TRUE(contains(filters, "3 filters") && contains(filters, "2 groups")) << filters;

  const std::string none_out = message_of([](GraphBuilder& net, Tensor x) {
    (void)net.separable_conv2d(x, {.kernel = {3, 3}}, "separable");
  });
  EXPECT_TRUE(contains(none_out, "'separable'") && contains(none_out, "filter")) << none_out;

  const std::string stride = message_of(
      [](GraphBuilder& net, Tensor x) { (void)net.max_pool2d(x, {.strides = {{0, 1}}}, "pool"); });
  EXPECT_TRUE(contains(stride, "layer 'pool'") && contains(stride, "strides")) << stride;

  const std::string window = message_of([](GraphBuilder& net, Tensor x) {
    (void)net.conv2d(x, {.filters = 1, .kernel = {9, 1}}, "conv");
  });
  EXPECT_TRUE(contains(window, "'conv'")) << window;

  const std::string axis =
      message_of([](GraphBuilder& net, Tensor x) { (void)net.concatenate({x, x}, "join", -4); });
  EXPECT_TRUE(contains(axis, "layer 'join'") && contains(axis, "axis -4")) << axis;

  const std::string output = message_of([](GraphBuilder& net, Tensor x) {
    net.output(x, "y");
    net.output(x, "y");
  });
  EXPECT_TRUE(contains(output, "'y'") && contains(output, "outputs")) << output;
}

TEST(GraphBuilder, NeedsAnOutputAndStartsAnewAfterwards) {
  GraphBuilder net;
  net.output(net.input({2}, "x"));
  const ModelGraph first = net.build();

  EXPECT_THROW((void)net.build(), InvalidArgument);
  net.output(net.input({3}, "x"));
  const ModelGraph second = net.build();
  EXPECT_EQ(result(ModelGraphAccess::graph(first)), f32({kBatch, 2}));
  EXPECT_EQ(result(ModelGraphAccess::graph(second)), f32({kBatch, 3}));
}

TEST(ModelGraph, RefusesToBeReadWhereEmpty) {
  EXPECT_TRUE(ModelGraph().empty());
  EXPECT_THROW((void)ModelGraphAccess::graph(ModelGraph()), InvalidArgument);
}

}  // namespace fovea
