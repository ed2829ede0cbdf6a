#include "engine/backend/cpu/winograd_product.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/winograd_shape.h"

namespace fovea::cpu::winograd {

namespace {

/// Weights are read once and in order; so many floats ahead is where they are asked for.
constexpr int kPrefetchAhead = 512;

// `Tiles * Vectors` independent sums hide the latency of the multiply-adds.
template <int Tiles, int Vectors>
FOVEA_AVX512 void multiply_tiles(const Product& product) {
  Vector sums[Tiles][Vectors];
#pragma GCC unroll 14
  for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sums[t][v] = _mm512_setzero_ps();
  }
  const float* x = product.x;
  const float* w = product.w;
  WeightFetch next = product.next_w;
  for (std::int64_t left = product.channels; left > 0; left -= kLanes) {
    const int channels = static_cast<int>(std::min(left, kLanes));
    for (int c = 0; c < channels; ++c) {
      Vector weights[Vectors];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        weights[v] = _mm512_loadu_ps(w + v * kLanes);
        _mm_prefetch(reinterpret_cast<const char*>(w + v * kLanes + kPrefetchAhead), _MM_HINT_T0);
      }
#pragma GCC unroll 14
      for (int t = 0; t < Tiles; ++t) {
        const Vector input = _mm512_set1_ps(x[t * kLanes + c]);
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v) {
          sums[t][v] = _mm512_fmadd_ps(input, weights[v], sums[t][v]);
        }
      }
      w += Vectors * kLanes;
      next.advance();
    }
    x += product.x_stride;
  }
#pragma GCC unroll 14
  for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      _mm512_storeu_ps(product.y + v * product.y_stride + t * kLanes, sums[t][v]);
    }
  }
}

using Kernel = void(const Product&);

/// kernels[t] is the one for t + 1 tiles.
template <int Vectors, std::size_t... Tiles>
constexpr std::array<Kernel*, sizeof...(Tiles)> kernels(std::index_sequence<Tiles...> /*tiles*/) {
  return {multiply_tiles<static_cast<int>(Tiles) + 1, Vectors>...};
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
