// The matrix products of the transformed tiles.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/weight_fetch.h"

namespace fovea::cpu::winograd {

/// The most tiles that one call takes: with two registers of output channels each, 28 sums, the
/// weights and a broadcast input fill the 32 registers.
inline constexpr std::int64_t kProductTiles = 14;

/// y[t][o] = sum over c of x[t][c] * w[c][o], in ascending order of c, whatever t and `tiles` are:
/// a tile's bits do not depend on its neighbours.
struct Product {
  const float* x;         ///< tile t, channel c at x + (c / 16) * x_stride + t * 16 + c % 16
  std::int64_t x_stride;  ///< floats from one block of 16 channels to the next
  std::int64_t channels;  ///< of the input
  const float* w;         ///< {input channels, 16 * vectors}
  WeightFetch next_w{};
  float* y;               ///< tile t, channel o at y + (o / 16) * y_stride + t * 16 + o % 16
  std::int64_t y_stride;  ///< floats from one block of 16 channels to the next
};

/// tiles    1 to kProductTiles
/// vectors  1 or 2: registers of output channels
///
/// Needs AVX-512 F.
void multiply(const Product& product, std::int64_t tiles, std::int64_t vectors);

}  // namespace fovea::cpu::winograd
