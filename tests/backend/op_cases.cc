#include "tests/backend/op_cases.h"

#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

namespace {

/// Sums of at most a few hundred products of values up to 4, in float32.
constexpr float kSums = 5e-4F;
/// One rounding of a function of values up to 8.
constexpr float kFunction = 2e-6F;

Value constant(Graph& graph, const Shape& shape, std::uint64_t seed) {
  return graph.add(make_constant(shape, random_floats(num_elements(shape), seed)),
                   {},
                   "constant" + std::to_string(seed));
}

Value picture(Graph& graph, std::int64_t height, std::int64_t width, std::int64_t channels) {
  return graph.add(Input{{DType::kFloat32, {kBatch, height, width, channels}}}, {}, "x");
}

Graph finish(Graph graph, Value y) {
  graph.mark_output(y, "y");
  return graph;
}

/// One operator on a picture that comes straight from the input.
Graph on_picture(const Op& op, const Shape& hwc) {
  Graph graph;
  const Value x = picture(graph, hwc[0], hwc[1], hwc[2]);
  return finish(graph, graph.add(op, {x}, "op"));
}

/// One operator behind a convolution, so that its input lies in whatever layout the backend likes.
Graph behind_convolution(const Op& op, std::int64_t channels) {
  Graph graph;
  const Value x = picture(graph, 7, 9, 8);
  const Value conv = graph.add(Conv2d{}, {x, constant(graph, {channels, 1, 1, 8}, 1)}, "conv");
  const Value y = graph.add(op, {conv}, "op");
  // A second reader keeps fusions away from the operator.
  graph.mark_output(conv, "conv");
  return finish(graph, y);
}

Graph convolution(const Conv2d& conv, const Shape& hwc, const Shape& weights) {
  Graph graph;
  const Value x = picture(graph, hwc[0], hwc[1], hwc[2]);
  std::vector<Value> inputs{x, constant(graph, weights, 1)};
  if (conv.bias) inputs.push_back(constant(graph, {weights[0]}, 2));
  return finish(graph, graph.add(conv, inputs, "op"));
}

/// Through the integers and back: on every channel's own grid, or on one for all.
Graph quantized(std::int64_t channels, bool per_channel) {
  Graph graph;
  const Value x = picture(graph, 5, 6, channels);
  const Shape shape = per_channel ? Shape{channels} : Shape{};
  std::vector<std::byte> zeros(static_cast<std::size_t>(num_elements(shape)));
  for (std::size_t i = 0; i < zeros.size(); ++i) zeros[i] = static_cast<std::byte>(100 + i);
  Floats scales(zeros.size());
  for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = 0.02F + 0.01F * static_cast<float>(i);
  const Value scale = graph.add(make_constant(shape, scales), {}, "scale");
  const Value zero =
      graph.add(Constant{{DType::kUInt8, shape}, Buffer::from(zeros)}, {}, "zero_point");
  const Value q = graph.add(QuantizeLinear{.axis = 3}, {x, scale, zero}, "q");
  return finish(graph,
                graph.add(DequantizeLinear{.axis = 3, .zero_point = true}, {q, scale, zero}, "op"));
}

Graph residual_sum(std::int64_t channels, bool relu) {
  Graph graph;
  const Value x = picture(graph, 6, 5, channels);
  const Shape weights{channels, 1, 1, channels};
  const Value a = graph.add(Conv2d{}, {x, constant(graph, weights, 1)}, "a");
  const Value b = graph.add(Conv2d{}, {a, constant(graph, weights, 2)}, "b");
  Value y = graph.add(Add{}, {b, a}, "sum");
  if (relu) y = graph.add(Relu{}, {y}, "relu");
  return finish(graph, y);
}

/// A depthwise convolution whose result is added to its input.
Graph depthwise_residual(std::int64_t channels) {
  Graph graph;
  const Value x = picture(graph, 6, 7, channels);
  const Conv2d conv{.pads = {2, 2, 2, 2}, .groups = channels, .bias = true};
  const Value y = graph.add(
      conv, {x, constant(graph, {channels, 5, 5, 1}, 1), constant(graph, {channels}, 2)}, "conv");
  return finish(graph, graph.add(Relu{}, {graph.add(Add{}, {y, x}, "sum")}, "op"));
}

/// A depthwise convolution and the pointwise one that reads it, which may add what x became.
Graph separable(Conv2d depthwise,
                const Conv2d& pointwise,
                const Shape& hwc,
                std::int64_t kernel,
                std::int64_t filters) {
  Graph graph;
  const std::int64_t channels = hwc[2];
  const Value x = picture(graph, hwc[0], hwc[1], channels);
  depthwise.groups = channels;
  std::vector<Value> inputs{x, constant(graph, {channels, kernel, kernel, 1}, 1)};
  if (depthwise.bias) inputs.push_back(constant(graph, {channels}, 2));
  std::vector<Value> rest{graph.add(depthwise, inputs, "depthwise"),
                          constant(graph, {filters, 1, 1, channels}, 3)};
  if (pointwise.bias) rest.push_back(constant(graph, {filters}, 4));
  if (pointwise.residual) {
    rest.push_back(graph.add(Conv2d{.strides = depthwise.strides},
                             {x, constant(graph, {filters, 1, 1, channels}, 5)},
                             "shortcut"));
  }
  return finish(graph, graph.add(pointwise, rest, "op"));
}

Graph rows(const Op& op, std::int64_t columns) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, columns}}}, {}, "x");
  const Value y = graph.add(op, {x}, "op");
  for (std::size_t i = 1; i < graph.node(y).outputs.size(); ++i) {
    graph.mark_output({y.node, static_cast<std::int32_t>(i)}, "extra" + std::to_string(i));
  }
  return finish(graph, y);
}

Graph dense(std::int64_t in, std::int64_t out, bool bias, Activation activation) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, in}}}, {}, "x");
  std::vector<Value> inputs{x, constant(graph, {out, in}, 1)};
  if (bias) inputs.push_back(constant(graph, {out}, 2));
  return finish(graph, graph.add(Dense{bias, activation}, inputs, "op"));
}

Graph normalization(Normalization mode, std::int64_t channels, std::int64_t out_channels) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kUInt8, {kBatch, 5, 4, channels}}}, {}, "x");
  return finish(graph,
                graph.add(NormalizeImage{normalization_constants(mode), out_channels}, {x}, "op"));
}

Graph concatenation(std::int64_t first, std::int64_t second) {
  Graph graph;
  const Value x = picture(graph, 5, 4, 8);
  const Value a = graph.add(Conv2d{}, {x, constant(graph, {first, 1, 1, 8}, 1)}, "a");
  const Value b = graph.add(MaxPool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}},
                            {graph.add(Conv2d{}, {x, constant(graph, {second, 1, 1, 8}, 2)}, "b")},
                            "pool");
  return finish(graph, graph.add(Concat{3}, {a, b, x}, "op"));
}

/// Four branches of one input, two of which begin alike, and one whose pool can move.
Graph inception_block(std::int64_t narrow) {
  Graph graph;
  const Value x = picture(graph, 6, 7, 24);
  std::uint64_t seed = 0;
  const auto branch = [&](Value from, std::int64_t channels, std::int64_t kernel) {
    const std::int64_t pad = kernel / 2;
    ++seed;
    const Value w = constant(graph, {channels, kernel, kernel, graph.desc(from).shape[3]}, seed);
    const Value y =
        graph.add(Conv2d{.pads = {pad, pad, pad, pad}}, {from, w}, "conv" + std::to_string(seed));
    return graph.add(Relu{}, {y}, "relu" + std::to_string(seed));
  };
  const Value a = branch(x, 16, 1);
  const Value b = branch(branch(x, 12, 1), 16, 3);
  const Value c = branch(branch(x, narrow, 1), 8, 3);
  const Value pool = graph.add(AveragePool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, {x}, "pool");
  return finish(graph, graph.add(Concat{3}, {a, b, c, branch(pool, 8, 1)}, "op"));
}

/// A projection beside a convolution of its stride, whose end is added to it.
Graph projection_block() {
  Graph graph;
  const Value x = picture(graph, 6, 6, 16);
  const Conv2d stride{.strides = {2, 2}};
  const Value shortcut = graph.add(stride, {x, constant(graph, {24, 1, 1, 16}, 1)}, "shortcut");
  Value y = graph.add(stride, {x, constant(graph, {8, 1, 1, 16}, 2)}, "first");
  y = graph.add(Relu{}, {y}, "first_relu");
  y = graph.add(Conv2d{.pads = {1, 1, 1, 1}}, {y, constant(graph, {24, 3, 3, 8}, 3)}, "last");
  return finish(graph, graph.add(Relu{}, {graph.add(Add{}, {shortcut, y}, "sum")}, "op"));
}

std::vector<OpCase> make_cases() {
  const Activation relu{.kind = ActivationKind::kRelu};
  const Activation relu6{.kind = ActivationKind::kClip, .lo = 0.0F, .hi = 6.0F};
  const Activation tanh{.kind = ActivationKind::kTanh};
  const Activation sigmoid{.kind = ActivationKind::kSigmoid};
  return {
      {"conv_1x1_c1", [] { return convolution({}, {1, 1, 1}, {1, 1, 1, 1}); }, kSums},
      {"conv_3x3_first_layer",
       [=] {
         return convolution(
             {.strides = {2, 2}, .pads = {0, 0, 1, 1}, .bias = true, .activation = relu6},
             {15, 14, 3},
             {32, 3, 3, 3});
       },
       kSums},
      {"conv_7x7_s2",
       [] {
         return convolution({.strides = {2, 2}, .pads = {3, 3, 3, 3}}, {20, 21, 3}, {16, 7, 7, 3});
       },
       kSums},
      {"conv_dilated",
       [] {
         return convolution({.dilations = {2, 3}, .pads = {2, 3, 2, 3}}, {11, 13, 8}, {8, 3, 3, 8});
       },
       kSums},
      {"conv_odd_channels",
       [=] {
         return convolution(
             {.pads = {1, 1, 1, 1}, .bias = true, .activation = tanh}, {6, 7, 5}, {7, 3, 3, 5});
       },
       kSums},
      {"conv_sigmoid_odd_channels",
       [=] { return convolution({.bias = true, .activation = sigmoid}, {4, 4, 6}, {10, 1, 1, 6}); },
       kSums},
      {"conv_grouped",
       [=] {
         return convolution(
             {.groups = 2, .bias = true, .activation = relu}, {8, 8, 32}, {64, 3, 3, 16});
       },
       kSums},
      {"conv_depthwise",
       [=] {
         return convolution({.strides = {2, 2},
                             .pads = {0, 0, 1, 1},
                             .groups = 32,
                             .bias = true,
                             .activation = relu6},
                            {9, 10, 32},
                            {32, 3, 3, 1});
       },
       kSums},
      {"conv_depthwise_input_relu",
       [=] {
         return convolution({.strides = {2, 2},
                             .pads = {1, 1, 1, 1},
                             .groups = 17,
                             .bias = true,
                             .activation = relu,
                             .input_activation = ActivationKind::kRelu},
                            {9, 8, 17},
                            {17, 3, 3, 1});
       },
       kSums},
      {"conv_activation_of_some_channels",
       [=] {
         return convolution({.bias = true, .activation = relu, .activation_channels = 5},
                            {4, 3, 6},
                            {12, 1, 1, 6});
       },
       kSums},
      {"conv_depthwise_odd",
       [] { return convolution({.pads = {1, 1, 1, 1}, .groups = 5}, {6, 6, 5}, {5, 3, 3, 1}); },
       kSums},
      {"conv_depthwise_multiplier",
       [=] {
         return convolution({.strides = {2, 1},
                             .pads = {1, 1, 1, 1},
                             .groups = 8,
                             .bias = true,
                             .activation = tanh},
                            {7, 6, 8},
                            {24, 3, 3, 1});
       },
       kSums},
      {"conv_depthwise_7x7_dilated",
       [] {
         return convolution(
             {.dilations = {1, 2}, .pads = {3, 6, 3, 6}, .groups = 16}, {8, 9, 16}, {16, 7, 7, 1});
       },
       kSums},
      {"conv_depthwise_activation_of_some_channels",
       [=] {
         return convolution({.pads = {1, 1, 1, 1},
                             .groups = 16,
                             .bias = true,
                             .activation = relu,
                             .activation_channels = 5},
                            {4, 3, 16},
                            {16, 3, 3, 1});
       },
       kSums},
      {"depthwise_residual", [] { return depthwise_residual(16); }, kSums},
      {"separable",
       [=] {
         return separable({.pads = {1, 1, 1, 1}, .bias = true, .activation = relu},
                          {.bias = true, .activation = relu6},
                          {9, 8, 16},
                          3,
                          24);
       },
       5e-3F},
      {"separable_strided_residual",
       [=] {
         return separable({.strides = {2, 2}, .pads = {1, 1, 1, 1}},
                          {.bias = true, .residual = true, .activation = relu},
                          {8, 9, 24},
                          3,
                          72);
       },
       5e-3F},
      {"separable_odd_5x5",
       [] { return separable({.pads = {2, 2, 2, 2}}, {}, {6, 7, 5}, 5, 7); },
       5e-3F},
      {"residual_16", [] { return residual_sum(16, true); }, 5e-2F},
      {"residual_20", [] { return residual_sum(20, false); }, 5e-2F},
      {"dense", [=] { return dense(400, 120, true, tanh); }, kSums},
      {"dense_1x1", [] { return dense(1, 1, false, {}); }, kSums},
      {"dense_relu_odd", [=] { return dense(33, 17, true, relu); }, kSums},
      {"max_pool",
       [] {
         return on_picture(MaxPool{.kernel = {2, 3}, .strides = {2, 1}, .pads = {0, 1, 1, 1}},
                           {7, 6, 5});
       }},
      {"max_pool_blocked",
       [] {
         return behind_convolution(
             MaxPool{.kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 1, 1, 1}}, 20);
       },
       kSums},
      {"average_pool",
       [] {
         return on_picture(AveragePool{.kernel = {3, 3}, .strides = {1, 1}, .pads = {1, 1, 1, 1}},
                           {6, 5, 3});
       },
       kFunction},
      {"average_pool_relu",
       [=] {
         return on_picture(AveragePool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}, .activation = relu},
                           {6, 5, 3});
       },
       kFunction},
      {"average_pool_clip_blocked",
       [=] {
         return behind_convolution(
             AveragePool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}, .activation = relu6}, 32);
       },
       kSums},
      {"average_pool_counts_padding",
       [] {
         return on_picture(
             AveragePool{
                 .kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 1, 1, 1}, .count_padding = true},
             {6, 5, 4});
       },
       kFunction},
      {"average_pool_blocked",
       [] {
         return behind_convolution(
             AveragePool{.kernel = {3, 3}, .strides = {2, 2}, .pads = {0, 0, 1, 1}}, 32);
       },
       kSums},
      // Ceil mode: the last windows start on the last row and column and reach far beyond them.
      {"max_pool_ceil",
       [] {
         return on_picture(MaxPool{.kernel = {3, 4}, .strides = {2, 3}, .pads = {0, 0, 2, 3}},
                           {7, 7, 5});
       }},
      {"max_pool_ceil_blocked",
       [] {
         return behind_convolution(
             MaxPool{.kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 0, 2, 2}}, 32);
       },
       kSums},
      {"average_pool_ceil",
       [] {
         return on_picture(AveragePool{.kernel = {3, 4}, .strides = {2, 3}, .pads = {0, 0, 2, 3}},
                           {7, 7, 5});
       },
       kFunction},
      {"average_pool_ceil_blocked",
       [] {
         return behind_convolution(
             AveragePool{.kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 0, 1, 2}}, 32);
       },
       kSums},
      {"average_pool_larger_than_the_picture",
       [] { return on_picture(AveragePool{.kernel = {7, 7}, .pads = {0, 0, 1, 1}}, {6, 6, 20}); },
       kFunction},
      {"average_pool_larger_blocked",
       [] {
         return behind_convolution(
             AveragePool{.kernel = {8, 8}, .strides = {8, 8}, .pads = {0, 0, 1, 7}}, 16);
       },
       kSums},
      {"global_average_blocked", [] { return behind_convolution(GlobalPool{}, 32); }, kSums},
      {"global_average_odd",
       [] { return behind_convolution(GlobalPool{.keep_dims = true}, 19); },
       kSums},
      {"global_max", [] { return on_picture(GlobalPool{.kind = PoolKind::kMax}, {5, 5, 3}); }},
      {"lrn", [] { return on_picture(Lrn{.alpha = 0.5}, {3, 5, 7}); }, kFunction},
      {"lrn_three_of_two_channels",
       [] { return on_picture(Lrn{3, 0.25, 0.5, 2.0}, {4, 3, 2}); },
       kFunction},
      {"lrn_even_window",
       [] { return behind_convolution(Lrn{.size = 4, .alpha = 0.5}, 20); },
       kSums},
      {"lrn_blocked", [] { return behind_convolution(Lrn{.alpha = 0.5}, 32); }, kSums},
      {"lrn_odd_channels", [] { return behind_convolution(Lrn{5, 0.5, 0.75, 2.0}, 19); }, kSums},
      {"lrn_wide_window", [] { return behind_convolution(Lrn{9, 0.5, 1.0, 1.0}, 24); }, kSums},
      {"relu_blocked", [] { return behind_convolution(Relu{}, 20); }, kSums},
      {"clip", [] { return on_picture(Clip{-0.5F, 0.75F}, {3, 3, 3}); }},
      {"clip_above_zero_blocked", [] { return behind_convolution(Clip{1.0F, 2.0F}, 20); }, kSums},
      {"tanh", [] { return on_picture(Tanh{}, {3, 3, 3}); }, kFunction},
      {"sigmoid_blocked", [] { return behind_convolution(Sigmoid{}, 20); }, kSums},
      {"pad", [] { return on_picture(Pad{{1, 2, 3, 0}, 0.5F}, {3, 4, 2}); }},
      {"pad_blocked", [] { return behind_convolution(Pad{{1, 1, 1, 1}, 0.0F}, 16); }, kSums},
      {"rescale", [] { return on_picture(Rescale{0.5, -1.0}, {3, 4, 2}); }, kFunction},
      {"rescale_blocked", [] { return behind_convolution(Rescale{-0.25, 3.0}, 24); }, kSums},
      {"transpose", [] { return on_picture(Transpose{{0, 3, 1, 2}}, {3, 4, 2}); }},
      {"transpose_blocked", [] { return behind_convolution(Transpose{{0, 3, 1, 2}}, 20); }, kSums},
      {"transpose_keeps_channels", [] { return on_picture(Transpose{{0, 2, 1, 3}}, {5, 7, 12}); }},
      {"transpose_to_channels_last", [] { return on_picture(Transpose{{0, 2, 3, 1}}, {9, 5, 7}); }},
      {"reshape_blocked",
       [] { return behind_convolution(Reshape{{kBatch, std::int64_t{7} * 9 * 20}}, 20); },
       kSums},
      {"identity", [] { return on_picture(Identity{}, {3, 4, 2}); }},
      {"quantized", [] { return quantized(5, false); }},
      {"quantized_per_channel", [] { return quantized(5, true); }},
      {"concat", [] { return concatenation(16, 32); }, kSums},
      {"concat_odd", [] { return concatenation(5, 11); }, kSums},
      {"concat_rows",
       [] {
         Graph graph;
         const Value x = picture(graph, 3, 4, 5);
         const Value y = graph.add(Relu{}, {x}, "relu");
         return finish(graph, graph.add(Concat{1}, {y, x, y}, "op"));
       }},
      {"slice", [] { return on_picture(Slice{.begin = 2, .size = 3}, {3, 4, 7}); }},
      {"slice_rows", [] { return on_picture(Slice{.axis = 1, .begin = 1, .size = 2}, {4, 3, 5}); }},
      {"slice_blocked",
       [] { return behind_convolution(Slice{.begin = 16, .size = 32}, 64); },
       kSums},
      {"slice_odd_blocked",
       [] { return behind_convolution(Slice{.begin = 3, .size = 11}, 19); },
       kSums},
      {"inception_block", [] { return inception_block(4); }, 2e-3F},
      {"inception_block_odd", [] { return inception_block(5); }, 2e-3F},
      {"projection_block", [] { return projection_block(); }, 2e-3F},
      {"normalize_caffe", [] { return normalization(Normalization::kCaffe, 3, 0); }},
      {"normalize_torch_padded", [] { return normalization(Normalization::kTorch, 3, 8); }},
      {"normalize_gray", [] { return normalization(Normalization::kTf, 1, 0); }},
      {"softmax_1", [] { return rows(Softmax{}, 1); }, kFunction},
      {"softmax_1000", [] { return rows(Softmax{}, 1000); }, kFunction},
      {"topk_5_of_1000", [] { return rows(TopK{5}, 1000); }},
      {"softmax_topk", [] { return rows(TopK{.k = 5, .softmax = true}, 1000); }, kFunction},
      {"softmax_topk_all", [] { return rows(TopK{.k = 33, .softmax = true}, 33); }, kFunction},
      {"topk_all", [] { return rows(TopK{33}, 33); }},
  };
}

}  // namespace

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> kCases = make_cases();
  return kCases;
}

}  // namespace fovea::test
