#include "engine/core/resample_pass.h"

#include <array>

namespace fovea {

namespace {

template <int Channels>
void horizontal_row(const std::uint8_t* in, const ResampleTaps& taps, std::uint8_t* out) {
  const ResampleAxis& axis = taps.axis;
  for (std::size_t x = 0; x < axis.first.size(); ++x, out += Channels) {
    const std::int32_t* weight = taps.weights.data() + x * axis.taps;
    const std::uint8_t* pixel = in + static_cast<std::ptrdiff_t>(axis.first[x]) * Channels;
    std::array<std::int32_t, Channels> sum;
    sum.fill(kResampleHalf);
    for (int tap = 0; tap < axis.count[x]; ++tap, pixel += Channels) {
      for (std::size_t c = 0; c < Channels; ++c) sum[c] += pixel[c] * weight[tap];
    }
    for (std::size_t c = 0; c < Channels; ++c) out[c] = resample_byte(sum[c]);
  }
}

void horizontal(ConstRows in,
                int rows,
                std::size_t /*row_bytes*/,
                int channels,
                const ResampleTaps& taps,
                MutableRows out) {
  for (int y = 0; y < rows; ++y) {
    if (channels == 3) {
      horizontal_row<3>(in[y], taps, out[y]);
    } else {
      horizontal_row<1>(in[y], taps, out[y]);
    }
  }
}

/// Columns [begin, begin + Count) of one output row; a fixed count is what -O2 vectorises.
template <std::size_t Count>
void vertical_block(
    ConstRows in, std::size_t begin, const std::int32_t* weights, int taps, std::uint8_t* out) {
  std::array<std::int32_t, Count> sum;
  sum.fill(kResampleHalf);
  for (int tap = 0; tap < taps; ++tap) {
    const std::uint8_t* row = in[tap] + begin;
    const std::int32_t weight = weights[tap];
    for (std::size_t i = 0; i < Count; ++i) sum[i] += row[i] * weight;
  }
  for (std::size_t i = 0; i < Count; ++i) out[begin + i] = resample_byte(sum[i]);
}

void vertical(ConstRows in, std::size_t row_bytes, const ResampleTaps& taps, MutableRows out) {
  constexpr std::size_t kBlock = 32;
  const ResampleAxis& axis = taps.axis;
  for (std::size_t y = 0; y < axis.first.size(); ++y) {
    const ConstRows from{in[axis.first[y]], in.stride};
    const std::int32_t* weights = taps.weights.data() + y * axis.taps;
    std::uint8_t* row = out[static_cast<std::ptrdiff_t>(y)];
    std::size_t i = 0;
    for (; i + kBlock <= row_bytes; i += kBlock) {
      vertical_block<kBlock>(from, i, weights, axis.count[y], row);
    }
    for (; i < row_bytes; ++i) vertical_block<1>(from, i, weights, axis.count[y], row);
  }
}

}  // namespace

const ResampleKernels& scalar_resample_kernels() {
  static constexpr ResampleKernels kKernels{"scalar", horizontal, vertical};
  return kKernels;
}

const ResampleKernels& resample_kernels() {
  static const ResampleKernels& kernels =
      simd_resample_kernels() != nullptr ? *simd_resample_kernels() : scalar_resample_kernels();
  return kernels;
}

}  // namespace fovea
