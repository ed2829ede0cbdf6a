// Heads, tails and the single operators that patterns are made of.
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "tests/support/graph_patterns.h"

namespace fovea::test {

namespace {

/// Multiplications that one convolution may cost, counted as the reference pays for them.
constexpr std::int64_t kMostWork = 30'000;

Activation any_activation(GraphMaker& maker) {
  const auto kind = maker.one_of({ActivationKind::kRelu,
                                  ActivationKind::kClip,
                                  ActivationKind::kTanh,
                                  ActivationKind::kSigmoid});
  if (kind != ActivationKind::kClip) return {.kind = kind};
  return {.kind = kind, .lo = maker.one_of({-0.5F, 0.0F, 0.25F}), .hi = maker.one_of({1.0F, 6.0F})};
}

/// Pads of a window: none, "same" (the odd element after), or anything small.
Pads any_pads(GraphMaker& maker,
              Value x,
              std::array<std::int64_t, 2> kernel,
              std::array<std::int64_t, 2> strides,
              std::array<std::int64_t, 2> dilations = {1, 1}) {
  if (maker.chance(30)) return {0, 0, 0, 0};
  Pads pads{};
  for (std::size_t side = 0; side < 2; ++side) {
    const auto same =
        same_padding(maker.dim(x, side + 1), kernel[side], strides[side], dilations[side]);
    pads[side] = same[0];
    pads[side + 2] = same[1];
  }
  if (maker.chance(60)) return pads;
  for (std::int64_t& side : pads) side = maker.between(0, 2);
  return pads;
}

/// Adds the convolution with its weights, and with a bias and whatever else it may carry.
Value finish_conv(GraphMaker& maker, Value x, Conv2d conv, const Shape& weights) {
  conv.bias = maker.chance(50);
  if (maker.chance(6)) conv.activation = any_activation(maker);
  if (maker.chance(20) && conv.activation.kind != ActivationKind::kNone) {
    conv.activation_channels = maker.between(0, weights[0]);
  }
  if (maker.chance(8)) conv.input_activation = ActivationKind::kRelu;
  std::vector<Value> inputs{x, maker.weights(weights)};
  if (conv.bias) inputs.push_back(maker.floats({weights[0]}));
  const Value y = maker.add(conv, inputs);
  const auto twin = maker.twin(y);
  if (!twin || !maker.chance(10)) return y;
  conv.residual = true;
  inputs.push_back(*twin);
  return maker.add(conv, inputs);
}

}  // namespace

void add_head(GraphMaker& maker) {
  if (maker.chance(70)) {
    const std::int64_t rows = maker.chance(15) ? maker.between(1, 33) : maker.between(1, 9);
    const std::int64_t columns = maker.chance(15) ? maker.between(1, 33) : maker.between(1, 9);
    const std::int64_t most = std::min<std::int64_t>(33, 1'500 / (rows * columns));
    const std::int64_t channels =
        maker.chance(25) ? 3 : maker.between(1, std::max<std::int64_t>(1, most));
    const int count = maker.chance(20) ? 2 : 1;
    for (int i = 0; i < count; ++i) {
      maker.add(Input{{DType::kFloat32, {kBatch, rows, columns, channels}}}, {});
    }
    return;
  }
  Value pixels;
  std::optional<Value> table;
  PreprocessSpec spec;
  const bool colour = maker.chance(80);
  if (maker.chance(20)) {
    spec.height = static_cast<int>(maker.between(1, 8));
    spec.width = static_cast<int>(maker.between(1, 8));
    spec.interpolation = maker.one_of({Interpolation::kNearest, Interpolation::kBilinear});
    spec.fit = maker.one_of({Fit::kStretch, Fit::kKeepAspectRatio});
    spec.color = colour ? ColorMode::kRgb : ColorMode::kGrayscale;
    pixels = maker.add(Input{{DType::kUInt8, {kRaggedBytes}}}, {});
    table = maker.add(Input{{DType::kInt64, {kBatch, 3}}}, {});
  } else {
    const Shape shape{kBatch, maker.between(1, 12), maker.between(1, 12), colour ? 3 : 1};
    pixels = maker.add(Input{{DType::kUInt8, shape}}, {});
  }
  NormalizeImage normalize;
  normalize.constants = normalization_constants(maker.one_of(
      {Normalization::kNone, Normalization::kTf, Normalization::kTorch, Normalization::kUnit}));
  if (colour && maker.chance(50)) {
    normalize.constants = normalization_constants(Normalization::kCaffe);
  }
  if (maker.chance(20)) normalize.channels = 4;
  if (table && maker.chance(30)) {
    maker.add(ResizeNormalize{spec, normalize.constants, normalize.channels}, {pixels, *table});
    return;
  }
  if (table) pixels = maker.add(ResizeImage{spec}, {pixels, *table});
  maker.add(normalize, {pixels});
}

void add_tail(GraphMaker& maker) {
  Value x = maker.add(GlobalPool{.kind = maker.one_of({PoolKind::kAverage, PoolKind::kMax})},
                      {maker.picture()});
  if (maker.chance(50)) x = maker.add(Identity{}, {x});  // a Dropout
  x = add_dense(maker, x);
  if (maker.chance(80)) x = maker.add(Softmax{}, {x});
  if (maker.chance(70)) maker.add(TopK{maker.between(1, maker.dim(x, 1)), maker.chance(10)}, {x});
}

Value add_conv(GraphMaker& maker, Value x, ConvKind kind, bool border, std::int64_t filters) {
  const std::int64_t channels = maker.dim(x, 3);
  if (filters == 0) filters = maker.chance(20) ? channels : maker.between(1, 12);
  Conv2d conv;
  if (kind == ConvKind::kDepthwise) {
    conv.groups = channels;
    filters = channels * (maker.chance(20) ? 2 : 1);
  } else if (kind == ConvKind::kAny && maker.chance(25)) {
    conv.groups = std::gcd(channels, filters);
  }
  conv.strides = maker.chance(kind == ConvKind::kPointwise ? 90 : 70)
                     ? std::array<std::int64_t, 2>{1, 1}
                     : std::array<std::int64_t, 2>{maker.between(1, 3), maker.between(1, 3)};
  std::array<std::int64_t, 2> kernel{1, 1};
  if (kind != ConvKind::kPointwise) {
    if (maker.chance(15)) conv.dilations = {maker.between(1, 3), maker.between(1, 3)};
    for (std::int64_t& side : kernel) side = maker.chance(60) ? 3 : maker.between(1, 5);
  }
  if (border && (kind != ConvKind::kPointwise || maker.chance(20))) {
    conv.pads = any_pads(maker, x, kernel, conv.strides, conv.dilations);
  }
  for (std::size_t side = 0; side < 2; ++side) {
    const std::int64_t room = maker.dim(x, side + 1) + conv.pads[side] + conv.pads[side + 2];
    if ((kernel[side] - 1) * conv.dilations[side] + 1 > room) kernel[side] = 1;
  }
  const std::int64_t inputs = channels / conv.groups;
  const std::int64_t lanes = (filters / conv.groups + 7) / 8 * 8 * conv.groups;
  const std::int64_t pixels = maker.dim(x, 1) * maker.dim(x, 2) / conv.strides[0] / conv.strides[1];
  if (pixels * lanes * inputs * kernel[0] * kernel[1] > kMostWork) kernel = {1, 1};
  return finish_conv(maker, x, conv, {filters, kernel[0], kernel[1], inputs});
}

Value add_norm(GraphMaker& maker, Value x) {
  const Shape channels{maker.desc(x).shape.back()};
  const Range around_one{0.5F, 1.5F};
  const Value gamma = maker.floats(channels, maker.chance(70) ? around_one : Range{-1.5F, 1.5F});
  return maker.add(BatchNorm{maker.one_of({1e-5, 1e-3, 0.5})},
                   {x,
                    gamma,
                    maker.floats(channels),
                    maker.floats(channels),
                    maker.floats(channels, around_one)});
}

Value add_activation(GraphMaker& maker, Value x) {
  const Activation activation = any_activation(maker);
  switch (activation.kind) {
    case ActivationKind::kClip: {
      constexpr float kInfinity = std::numeric_limits<float>::infinity();
      if (maker.chance(15)) return maker.add(Clip{-kInfinity, kInfinity}, {x});
      return maker.add(Clip{activation.lo, activation.hi}, {x});
    }
    case ActivationKind::kTanh:
      return maker.add(Tanh{}, {x});
    case ActivationKind::kSigmoid:
      return maker.add(Sigmoid{}, {x});
    default:
      return maker.add(Relu{}, {x});
  }
}

Value add_dense(GraphMaker& maker, Value x) {
  const std::int64_t inputs = maker.dim(x, 1);
  const std::int64_t outputs = inputs > 1'000 ? 2 : maker.between(1, 10);
  Dense dense{.bias = maker.chance(50)};
  if (maker.chance(6)) dense.activation = any_activation(maker);
  std::vector<Value> operands{x, maker.weights({outputs, inputs})};
  if (dense.bias) operands.push_back(maker.floats({outputs}));
  return maker.add(dense, operands);
}

Value add_pool(GraphMaker& maker, Value x, bool max, bool border) {
  const std::array<std::int64_t, 2> kernel{maker.between(1, 3), maker.between(1, 3)};
  const std::array<std::int64_t, 2> strides{maker.between(1, 2), maker.between(1, 2)};
  const Pads pads = border ? any_pads(maker, x, kernel, strides) : Pads{0, 0, 0, 0};
  if (max) return maker.try_add(MaxPool{kernel, strides, pads}, {x}).value_or(x);
  AveragePool pool{kernel, strides, pads, maker.chance(50)};
  if (maker.chance(6)) pool.activation = any_activation(maker);
  return maker.try_add(pool, {x}).value_or(x);
}

}  // namespace fovea::test
