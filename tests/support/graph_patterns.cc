#include "tests/support/graph_patterns.h"

#include <algorithm>
#include <array>
#include <limits>

namespace fovea::test {

namespace {

// --- Convolutions and what stands around them ---

void conv(GraphMaker& maker) {
  add_conv(maker, maker.picture(), ConvKind::kAny, true);
}

void conv_norm_activation(GraphMaker& maker) {
  const Value x = maker.picture();
  const auto kind = maker.one_of({ConvKind::kAny, ConvKind::kAny, ConvKind::kDepthwise});
  const Value y = add_norm(maker, add_conv(maker, x, kind, true));
  if (maker.chance(70)) add_activation(maker, y);
}

void norm_conv(GraphMaker& maker) {
  const Value x = add_norm(maker, maker.picture());
  const auto kind = maker.one_of({ConvKind::kAny, ConvKind::kPointwise, ConvKind::kDepthwise});
  add_conv(maker, x, kind, maker.chance(40));
}

void separable_conv(GraphMaker& maker) {
  Value x = maker.picture();
  // Xception: the shortcut reads the input of the Relu too.
  if (maker.chance(50)) add_conv(maker, x, ConvKind::kPointwise, false);
  if (maker.chance(60)) x = maker.add(Relu{}, {x});
  if (maker.chance(30)) add_conv(maker, x, ConvKind::kDepthwise, true);
  x = add_conv(maker, x, ConvKind::kDepthwise, true);
  x = add_conv(maker, x, ConvKind::kPointwise, false);
  if (maker.chance(60)) add_norm(maker, x);
}

/// What a pass makes of two convolutions, as it comes from a file.
void separable_operator(GraphMaker& maker) {
  const Value x = maker.picture();
  const std::int64_t channels = maker.dim(x, 3);
  const std::int64_t filters = maker.between(1, 12);
  SeparableConv2d op;
  op.depthwise.groups = channels;
  op.depthwise.strides = {maker.between(1, 2), maker.between(1, 2)};
  op.depthwise.pads = {1, 1, maker.between(0, 1), maker.between(0, 1)};
  op.depthwise.bias = maker.chance(50);
  op.pointwise.bias = maker.chance(50);
  if (maker.chance(30)) op.depthwise.input_activation = ActivationKind::kRelu;
  if (maker.chance(30)) op.depthwise.activation = {.kind = ActivationKind::kRelu};
  if (maker.chance(30)) op.pointwise.activation = {.kind = ActivationKind::kTanh};
  const std::int64_t side = maker.one_of({1, 2, 3});
  std::vector<Value> inputs{x, maker.weights({channels, std::min<std::int64_t>(side, 2), side, 1})};
  if (op.depthwise.bias) inputs.push_back(maker.floats({channels}));
  inputs.push_back(maker.weights({filters, 1, 1, channels}));
  if (op.pointwise.bias) inputs.push_back(maker.floats({filters}));
  (void)maker.try_add(op, inputs);
}

void residual_sum(GraphMaker& maker) {
  const Value x = maker.picture();
  const std::int64_t filters = maker.dim(x, 3);
  const Value a = add_conv(maker, x, ConvKind::kPointwise, false, filters);
  Value b = maker.chance(50) ? x : add_conv(maker, x, ConvKind::kPointwise, false, filters);
  if (maker.chance(30)) b = add_norm(maker, b);
  Add add;
  if (maker.chance(20)) add.activation = {.kind = ActivationKind::kRelu};
  const auto sum = maker.try_add(add, {a, b});
  if (sum && maker.chance(70)) add_activation(maker, *sum);
}

void pointwise_siblings(GraphMaker& maker) {
  const Value x = maker.picture();
  const bool alike = maker.chance(60);  // one activation for all, or none
  const bool bare = maker.chance(30);
  std::vector<Value> branches;
  for (std::int64_t i = maker.between(2, 4); i > 0; --i) {
    Value y = add_conv(maker, x, ConvKind::kPointwise, false);
    if (alike && !bare) y = maker.add(Relu{}, {y});
    if (!alike && maker.chance(60)) y = add_activation(maker, y);
    if (maker.chance(50)) y = add_conv(maker, y, ConvKind::kAny, true);
    branches.push_back(y);
  }
  if (maker.chance(40)) branches.push_back(add_pool(maker, x, maker.chance(50), true));
  (void)maker.try_add(Concat{3}, branches);
}

void pad_and_window(GraphMaker& maker) {
  Value x = maker.picture();
  if (maker.chance(50)) x = add_activation(maker, x);
  Pad pad;
  if (maker.chance(90)) {
    for (std::int64_t& side : pad.pads) side = maker.between(0, 2);
  }
  if (maker.chance(25)) pad.value = 0.5F;
  x = maker.add(pad, {x});
  if (maker.chance(40)) {
    add_conv(maker, x, maker.one_of({ConvKind::kAny, ConvKind::kDepthwise}), maker.chance(50));
  } else {
    add_pool(maker, x, maker.chance(50), maker.chance(40));
  }
}

// --- Pools ---

void pool(GraphMaker& maker) {
  add_pool(maker, maker.picture(), maker.chance(50), true);
}

void average_then_pointwise(GraphMaker& maker) {
  const Value x = add_pool(maker, maker.picture(), false, true);
  const Value y = add_conv(maker, x, ConvKind::kPointwise, false, maker.between(1, 4));
  if (maker.chance(50)) add_activation(maker, y);
}

void max_pool_and_activation(GraphMaker& maker) {
  Value x = maker.picture();
  if (maker.chance(80)) x = add_conv(maker, x, ConvKind::kAny, true);
  if (maker.chance(30)) {
    add_pool(maker, add_activation(maker, x), true, true);
  } else {
    add_activation(maker, add_pool(maker, x, true, true));
  }
}

void global_pool(GraphMaker& maker) {
  const PoolKind kind = maker.one_of({PoolKind::kAverage, PoolKind::kMax});
  maker.add(GlobalPool{kind, maker.chance(50)}, {maker.picture()});
}

// --- Element-wise operators ---

void activations(GraphMaker& maker) {
  Value x = maker.picture();
  for (std::int64_t i = maker.between(1, 3); i > 0; --i) x = add_activation(maker, x);
}

void arithmetic(GraphMaker& maker) {
  const Value x = maker.picture();
  const Value other = maker.twin(x).value_or(x);
  const Value channels = maker.floats({maker.dim(x, 3)});
  const Value one = maker.floats({1});
  switch (maker.between(0, 5)) {
    case 0:
      maker.add(Add{}, {x, maker.one_of({other, channels, one})});
      break;
    case 1:
      maker.add(Mul{}, {x, maker.one_of({channels, one})});
      break;
    case 2:
      maker.add(Mul{}, {maker.add(Sigmoid{}, {x}), other});
      break;
    case 3:
      maker.add(Rescale{maker.one_of({1.0, 0.5}), maker.one_of({0.0, 0.25})}, {x});
      break;
    case 4:
      maker.add(Lrn{.size = maker.between(1, 5), .alpha = 0.1}, {x});
      break;
    default:
      maker.add(Add{}, {x, maker.add(Mul{}, {channels, one})});  // a sum that needs no input
      break;
  }
}

void quantised(GraphMaker& maker) {
  const Value x = maker.picture();
  const Shape grid{maker.chance(50) ? maker.dim(x, 3) : 1};
  const Value scale = maker.floats(grid, {0.01F, 0.05F});
  const Value zero = maker.bytes(maker.one_of({DType::kInt8, DType::kUInt8}), grid);
  const Value q = maker.add(QuantizeLinear{.axis = 3}, {x, scale, zero});
  maker.add(DequantizeLinear{.axis = 3, .zero_point = true}, {q, scale, zero});
}

void norm(GraphMaker& maker) {
  add_norm(maker, maker.picture());
}

// --- What only moves elements ---

void nothing(GraphMaker& maker) {
  const Value x = maker.picture();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Op op = maker.one_of<Op>({Identity{},
                                  Rescale{},
                                  Pad{},
                                  Concat{3},
                                  Clip{-kInfinity, kInfinity},
                                  Cast{DType::kFloat32},
                                  Transpose{{0, 1, 2, 3}},
                                  Reshape{maker.desc(x).shape}});
  maker.add(op, {x});
}

void transposes(GraphMaker& maker) {
  Value x = maker.picture();
  for (std::int64_t i = maker.between(1, 3); i > 0; --i) {
    x = maker.add(maker.one_of<Op>(
                      {Transpose{{0, 3, 1, 2}}, Transpose{{0, 2, 3, 1}}, Transpose{{0, 2, 1, 3}}}),
                  {x});
  }
}

void reshapes(GraphMaker& maker) {
  Value x = maker.picture();
  const std::int64_t rows = maker.dim(x, 1);
  const std::int64_t columns = maker.dim(x, 2);
  const std::int64_t channels = maker.dim(x, 3);
  if (maker.chance(60)) x = maker.add(Reshape{{kBatch, rows * columns, channels}}, {x});
  x = maker.add(Reshape{{kBatch, rows * columns * channels}}, {x});
  if (maker.chance(50)) maker.add(Reshape{{kBatch, columns, rows, channels}}, {x});
}

void half_and_back(GraphMaker& maker) {
  const Value x = maker.picture();
  const auto type = maker.one_of({DType::kFloat16, DType::kBFloat16, DType::kInt8, DType::kInt32});
  maker.add(Cast{DType::kFloat32}, {maker.add(Cast{type}, {x})});
}

void concats(GraphMaker& maker) {
  const Value x = maker.picture();
  std::vector<Value> parts{x};
  for (std::int64_t i = maker.between(0, 2); i > 0; --i) {
    Value other = maker.twin(x).value_or(x);
    if (maker.chance(50)) other = add_activation(maker, x);
    parts.push_back(other);
  }
  const std::int64_t axis = maker.chance(70) ? 3 : maker.between(1, 2);
  const auto inner = maker.try_add(Concat{axis}, parts);
  if (inner && maker.dim(*inner, static_cast<std::size_t>(axis)) < 33 && maker.chance(30)) {
    (void)maker.try_add(Concat{axis}, {x, *inner});
  }
}

void slices(GraphMaker& maker) {
  const Value x = maker.picture();
  const std::int64_t axis = maker.chance(70) ? 3 : maker.between(1, 2);
  const std::int64_t size = maker.dim(x, static_cast<std::size_t>(axis));
  const std::int64_t begin = maker.chance(40) ? 0 : maker.between(0, size - 1);
  const std::int64_t length = maker.chance(40) ? size - begin : maker.between(1, size - begin);
  maker.add(Slice{axis, begin, length}, {x});
}

/// A node that is there already, once more.
void repeated(GraphMaker& maker) {
  const Graph& graph = maker.graph();
  const Node node = graph.node(static_cast<NodeId>(maker.between(0, graph.size() - 1)));
  if (node.as<Input>() == nullptr) maker.add(node.op, node.inputs);
}

// --- Vectors ---

void vectors(GraphMaker& maker) {
  const auto known = maker.vector();
  Value x = known ? *known : maker.add(GlobalPool{}, {maker.picture()});
  switch (maker.between(0, 4)) {
    case 0:
      add_norm(maker, add_dense(maker, x));
      break;
    case 1:
      add_dense(maker, add_norm(maker, x));
      break;
    case 2:
      add_activation(maker, add_dense(maker, x));
      break;
    case 3:
      maker.add(Softmax{}, {x});
      break;
    default:
      add_activation(maker, x);
      break;
  }
}

constexpr std::array kPatterns{
    GraphPattern{conv, 2},
    GraphPattern{conv_norm_activation, 4},
    GraphPattern{norm_conv, 3},
    GraphPattern{separable_conv, 3},
    GraphPattern{separable_operator, 1},
    GraphPattern{residual_sum, 3},
    GraphPattern{pointwise_siblings, 3},
    GraphPattern{pad_and_window, 4},
    GraphPattern{pool, 1},
    GraphPattern{average_then_pointwise, 2},
    GraphPattern{max_pool_and_activation, 4},
    GraphPattern{global_pool, 1},
    GraphPattern{activations, 2},
    GraphPattern{arithmetic, 4},
    GraphPattern{quantised, 1},
    GraphPattern{norm, 1},
    GraphPattern{nothing, 2},
    GraphPattern{transposes, 2},
    GraphPattern{reshapes, 1},
    GraphPattern{half_and_back, 1},
    GraphPattern{concats, 2},
    GraphPattern{slices, 2},
    GraphPattern{repeated, 2},
    GraphPattern{vectors, 2},
};

}  // namespace

std::span<const GraphPattern> graph_patterns() {
  return kPatterns;
}

}  // namespace fovea::test
