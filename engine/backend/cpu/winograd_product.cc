#include "engine/backend/cpu/winograd_product.h"

#include <array>
#include <cstddef>
#include <utility>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/winograd_shape.h"

namespace fovea::cpu::winograd {

namespace {

/// Weights are read once and in order; so many floats ahead is where they are asked for.
constexpr int kPrefetchAhead = 512;

// `kTiles * kVectors` independent sums hide the latency of the multiply-adds.
template <int kTiles, int kVectors>
FOVEA_AVX512 void multiply_tiles(const Product& product) {
  constexpr int kWidth = static_cast<int>(kLanes);
  Vector sums[kTiles][kVectors];
#pragma GCC unroll 14
  for (int t = 0; t < kTiles; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sums[t][v] = _mm512_setzero_ps();
  }
  const float* x = product.x;
  const float* w = product.w;
  for (std::int64_t block = 0; block < product.x_blocks; ++block) {
    for (int c = 0; c < kWidth; ++c) {
      Vector weights[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        weights[v] = _mm512_loadu_ps(w + v * kWidth);
        _mm_prefetch(reinterpret_cast<const char*>(w + v * kWidth + kPrefetchAhead), _MM_HINT_T0);
      }
#pragma GCC unroll 14
      for (int t = 0; t < kTiles; ++t) {
        const Vector input = _mm512_set1_ps(x[t * kWidth + c]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          sums[t][v] = _mm512_fmadd_ps(input, weights[v], sums[t][v]);
        }
      }
      w += kVectors * kWidth;
    }
    x += product.x_stride;
  }
#pragma GCC unroll 14
  for (int t = 0; t < kTiles; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_ps(product.y + v * product.y_stride + t * kWidth, sums[t][v]);
    }
  }
}

using Kernel = void(const Product&);

/// kernels[t] is the one for t + 1 tiles.
template <int kVectors, std::size_t... kTiles>
constexpr std::array<Kernel*, sizeof...(kTiles)> kernels(std::index_sequence<kTiles...> /*tiles*/) {
  return {multiply_tiles<static_cast<int>(kTiles) + 1, kVectors>...};
}

}  // namespace

void multiply(const Product& product, std::int64_t tiles, std::int64_t vectors) {
  constexpr std::make_index_sequence<static_cast<std::size_t>(kProductTiles)> kTiles;
  static constexpr auto kNarrow = kernels<1>(kTiles);
  static constexpr auto kWide = kernels<2>(kTiles);
  const auto index = static_cast<std::size_t>(tiles - 1);
  (vectors == 2 ? kWide : kNarrow)[index](product);
}

}  // namespace fovea::cpu::winograd
