#include "engine/graph/ops/conv2d.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// Output channels that are summed side by side, so that no sum waits for itself.
constexpr std::int64_t kLanes = 8;
using Lanes = std::array<double, static_cast<std::size_t>(kLanes)>;
constexpr auto kAllLanes = std::make_index_sequence<static_cast<std::size_t>(kLanes)>();

/// What one convolution reads, and its sizes; `blocks` is the number of Lanes that hold one group's
/// outputs.
struct Problem {
  const Conv2d& conv;
  const float* x;
  const float* bias;      ///< or null
  const float* residual;  ///< or null
  std::int64_t h, w, c;
  std::int64_t o, r, s, i;
  std::int64_t group_o, blocks;
};

/// The input with `input_activation` applied.
std::vector<float> activated(std::span<const float> x, ActivationKind kind) {
  std::vector<float> y(x.size());
  std::ranges::transform(
      x, y.begin(), [kind](float v) { return static_cast<float>(apply({.kind = kind}, v)); });
  return y;
}

/// `values` is the first input as the sums read it.
Problem problem_of(const Conv2d& conv,
                   std::span<const ConstTensorView> inputs,
                   const float* values) {
  const ConstTensorView& x = inputs[0];
  const ConstTensorView& w = inputs[1];
  const std::int64_t group_o = w.dim(0) / conv.groups;
  return {.conv = conv,
          .x = values,
          .bias = conv.bias ? inputs[2].floats().data() : nullptr,
          .residual = conv.residual ? inputs.back().floats().data() : nullptr,
          .h = x.dim(1),
          .w = x.dim(2),
          .c = x.dim(3),
          .o = w.dim(0),
          .r = w.dim(1),
          .s = w.dim(2),
          .i = w.dim(3),
          .group_o = group_o,
          .blocks = (group_o + kLanes - 1) / kLanes};
}

/// The weights as [group][block][r][s][i] of Lanes, zero beyond a group's last output.
std::vector<Lanes> pack(std::span<const float> weights, const Problem& z) {
  const std::int64_t taps = z.r * z.s * z.i;
  std::vector<Lanes> packed(static_cast<std::size_t>(z.o / z.group_o * z.blocks * taps));
  for (std::int64_t o = 0; o < z.o; ++o) {
    const std::int64_t in_group = o % z.group_o;
    const std::int64_t block = o / z.group_o * z.blocks + in_group / kLanes;
    const float* from = weights.data() + o * taps;
    Lanes* to = packed.data() + block * taps;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      to[tap][static_cast<std::size_t>(in_group % kLanes)] = from[tap];
    }
  }
  return packed;
}

/// sums[l] += sum_i x[i] * w[i][l]; written out per lane, which doubles the speed at -O1 and -O2.
template <std::size_t... Lane>
void accumulate(const float* x,
                const Lanes* w,
                std::int64_t count,
                Lanes& sums,
                std::index_sequence<Lane...> /*lanes*/) {
  Lanes local = sums;  // its address is known to nobody, so it lives in registers
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = x[i];
    ((local[Lane] += value * w[i][Lane]), ...);
  }
  sums = local;
}

/// The sums of one block of output channels at row p and column q of picture n.
Lanes sums_at(const Problem& z,
              const std::vector<Lanes>& packed,
              std::int64_t block,
              std::int64_t n,
              std::int64_t p,
              std::int64_t q) {
  const std::int64_t top = p * z.conv.strides[0] - z.conv.pads[0];
  const std::int64_t left = q * z.conv.strides[1] - z.conv.pads[1];
  const Taps rows = taps_inside(z.h, top, z.r, z.conv.dilations[0]);
  const Taps cols = taps_inside(z.w, left, z.s, z.conv.dilations[1]);
  const std::int64_t first_channel = block / z.blocks * z.i;
  Lanes sums{};
  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    for (std::int64_t s = cols.begin; s < cols.end; ++s) {
      const std::int64_t row = n * z.h + top + r * z.conv.dilations[0];
      const std::int64_t pixel = row * z.w + left + s * z.conv.dilations[1];
      const std::int64_t tap = (block * z.r + r) * z.s + s;
      accumulate(
          z.x + pixel * z.c + first_channel, packed.data() + tap * z.i, z.i, sums, kAllLanes);
    }
  }
  return sums;
}

/// Finishes the outputs of one block at one position; `pixel` counts positions from the first.
void store(const Problem& z, const Lanes& sums, std::int64_t block, std::int64_t pixel, float* y) {
  const std::int64_t in_group = block % z.blocks * kLanes;
  const std::int64_t first = block / z.blocks * z.group_o + in_group;
  const std::int64_t count = std::min(kLanes, z.group_o - in_group);
  for (std::int64_t l = 0; l < count; ++l) {
    const std::int64_t o = first + l;
    double value = sums[static_cast<std::size_t>(l)];
    if (z.residual != nullptr) value += z.residual[pixel * z.o + o];
    if (z.bias != nullptr) value += z.bias[o];
    y[pixel * z.o + o] = static_cast<float>(apply(z.conv.activation_of(o), value));
  }
}

}  // namespace

std::vector<TensorDesc> Conv2d::infer(std::span<const TensorDesc> inputs) const {
  check_activation(activation);
  require(
      input_activation == ActivationKind::kNone || input_activation == ActivationKind::kRelu,
      "input_activation must be none or relu: others do not keep the zeros outside the picture");
  check_inputs(inputs, 2U + (bias ? 1U : 0U) + (residual ? 1U : 0U));
  const TensorDesc& x = inputs[0];
  const TensorDesc& w = inputs[1];
  check_picture(x, "x");
  check_dtype(w, DType::kFloat32, "the weight");
  check_rank(w, 4, "the weight");
  check_concrete(w, "the weight");

  const std::int64_t channels = x.shape[3];
  const std::int64_t features = w.shape[0];
  if (groups < 1 || channels % groups != 0 || features % groups != 0) {
    throw InvalidArgument(cat("groups is ",
                              groups,
                              ", but must divide the ",
                              channels,
                              " channels of x and the ",
                              features,
                              " of the output"));
  }
  if (w.shape[3] != channels / groups) {
    throw InvalidArgument(cat("the weight is ",
                              to_string(w),
                              ", but its last dimension must be ",
                              channels / groups,
                              ": x is ",
                              to_string(x),
                              " in ",
                              groups,
                              " groups"));
  }
  if (activation_channels < 0 || activation_channels > features) {
    throw InvalidArgument(cat("the activation applies to ",
                              activation_channels,
                              " channels, but must apply to 0 (all) to ",
                              features));
  }
  if (activation_channels != 0 && activation.kind == ActivationKind::kNone) {
    throw InvalidArgument("some channels have an activation, but there is none");
  }
  const std::int64_t rows =
      window_positions(x.shape[1], pads[0], pads[2], w.shape[1], strides[0], dilations[0]);
  const std::int64_t cols =
      window_positions(x.shape[2], pads[1], pads[3], w.shape[2], strides[1], dilations[1]);
  if (rows < 1 || cols < 1) {
    throw InvalidArgument(cat("the weight ",
                              to_string(w),
                              ", dilated by ",
                              dilations[0],
                              " and ",
                              dilations[1],
                              ", does not fit x ",
                              to_string(x),
                              " padded by ",
                              pads[0],
                              ',',
                              pads[1],
                              ',',
                              pads[2],
                              ',',
                              pads[3]));
  }
  TensorDesc output = checked_output({DType::kFloat32, {x.shape[0], rows, cols, features}});
  if (bias) check_equal(inputs[2], {DType::kFloat32, {features}}, "the bias");
  if (residual) check_equal(inputs.back(), output, "the residual");
  return {std::move(output)};
}

void Conv2d::evaluate(std::span<const ConstTensorView> inputs,
                      std::span<const TensorView> outputs) const {
  std::span<const float> x = inputs[0].floats();
  std::vector<float> own;
  if (input_activation != ActivationKind::kNone) x = own = activated(x, input_activation);
  const Problem z = problem_of(*this, inputs, x.data());
  const std::vector<Lanes> packed = pack(inputs[1].floats(), z);
  float* y = outputs[0].floats().data();
  const std::int64_t rows = outputs[0].dim(1);
  const std::int64_t cols = outputs[0].dim(2);

  // Columns innermost: a block's weights stay in the cache for a row.
  for (std::int64_t row = 0; row < outputs[0].dim(0) * rows; ++row) {
    for (std::int64_t block = 0; block < groups * z.blocks; ++block) {
      for (std::int64_t q = 0; q < cols; ++q) {
        store(z, sums_at(z, packed, block, row / rows, row % rows, q), block, row * cols + q, y);
      }
    }
  }
}

}  // namespace fovea
