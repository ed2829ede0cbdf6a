// A pixel's bytes as elements of a network's input.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// What one channel of an element pixel is made of.
struct NormalizedChannel {
  int source;
  float mean;
  float scale;
};

/// What all pixels of a launch have in common.
struct PixelNormalization {
  int out_channels;
  bool vectors;  ///< pixels are multiples of 16 bytes, and aligned to them
  bool quads;    ///< pixels are four elements, and aligned to them
  float divisor;
  NormalizedChannel channel[3];
};

/// From the members of the same names of a launch's arguments; `y` is where the first pixel goes.
inline PixelNormalization pixel_normalization(int channels,
                                              const void* y,
                                              ElementType type,
                                              int out_channels,
                                              bool swap_red_blue,
                                              float divisor,
                                              const std::array<float, 3>& mean,
                                              const std::array<float, 3>& scale) {
  const std::size_t pixel_bytes = bytes_of(type) * static_cast<std::size_t>(out_channels);
  const bool vectors = pixel_bytes % 16 == 0 && aligned_to(y, 16);
  const bool quads = out_channels == 4 && aligned_to(y, pixel_bytes);
  PixelNormalization result{out_channels, vectors, quads, divisor, {}};
  for (int c = 0; c < channels; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const int source = swap_red_blue && channels == 3 ? 2 - c : c;
    result.channel[c] = {source, mean[i], scale[i]};
  }
  return result;
}

/// Writes one pixel of Channels bytes to `y`, its out_channels elements. Not fast mathematics: the
/// intrinsics keep -use_fast_math and contraction away from values that are compared bit for bit.
template <int Channels, typename T>
__device__ __forceinline__ void store_normalized(const std::uint8_t (&pixel)[Channels],
                                                 const PixelNormalization& p,
                                                 T* y) {
  constexpr int kWidth = kWidest<T>;
  Values<kWidth> value{};
  SIMT_UNROLL
  for (int c = 0; c < Channels; ++c) {
    const NormalizedChannel& channel = p.channel[c];
    // The source is 0, 1, or 2, mostly c itself: a choice keeps the bytes in registers.
    const bool same = channel.source == c;
    const float byte = static_cast<float>(same ? pixel[c] : pixel[Channels - 1 - c]);
    const float centred = __fsub_rn(__fdiv_rn(byte, p.divisor), channel.mean);
    value.lane[c] = __fdiv_rn(centred, channel.scale);
  }
  if (p.vectors) {
    store_values<kWidth>(y, value);
    for (int c = kWidth; c < p.out_channels; c += kWidth) {
      store_values<kWidth>(y + c, Values<kWidth>{});
    }
    return;
  }
  if (p.quads) {
    Values<4> quad{};
    SIMT_UNROLL
    for (int c = 0; c < Channels; ++c) quad.lane[c] = value.lane[c];
    store_values<4>(y, quad);
    return;
  }
  SIMT_UNROLL
  for (int c = 0; c < Channels; ++c) y[c] = from_float<T>(value.lane[c]);
  for (int c = Channels; c < p.out_channels; ++c) y[c] = from_float<T>(0.0F);
}

}  // namespace fovea::kernels
