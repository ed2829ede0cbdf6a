#include "engine/backend/cpu/direct_product.h"

#include <array>
#include <utility>

#include "engine/backend/cpu/avx512.h"

namespace fovea::cpu::direct {

namespace {

/// Bytes ahead that weights are fetched from the second-level cache: one line is read for every 14
/// multiply-adds, and the hardware stops at the end of a page.
constexpr int kPrefetchFloats = 256;

/// The `Pixels * Vectors` independent sums hide the latency of the multiply-adds.
template <int Pixels, int Vectors>
struct Sums {
  Vector at[Pixels][Vectors];

  /// Adds one channel's products. Every third pixel has a pointer of its own: what lies between is
  /// reached by an index of one or two steps, so that all addresses stay in registers.
  FOVEA_AVX512_INLINE void add(const float* const* thirds, std::int64_t step, const float* w) {
    Vector weights[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      weights[v] = _mm512_loadu_ps(w + v * kLanes);
      _mm_prefetch(reinterpret_cast<const char*>(w + v * kLanes + kPrefetchFloats), _MM_HINT_T0);
    }
#pragma GCC unroll 14
    for (int t = 0; t < Pixels; ++t) {
      const Vector input = _mm512_set1_ps(thirds[t / 3][(t % 3) * step]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) at[t][v] = _mm512_fmadd_ps(input, weights[v], at[t][v]);
    }
  }
};

template <int Pixels, int Vectors>
FOVEA_AVX512_INLINE void store(const Product& product, const Sums<Pixels, Vectors>& sums) {
  const Epilogue& epilogue = product.epilogue;
  const Vector low = _mm512_set1_ps(epilogue.low);
  const Vector high = _mm512_set1_ps(epilogue.high);
#pragma GCC unroll 2
  for (int v = 0; v < Vectors; ++v) {
    const Vector bias = _mm512_loadu_ps(epilogue.bias + v * kLanes);
    const std::int64_t left = product.filters - v * kLanes;
    const __mmask16 mask = mask_of(left < kLanes ? left : kLanes);
    float* y = product.y + v * kLanes;
    if (epilogue.residual == nullptr) {
#pragma GCC unroll 14
      for (int t = 0; t < Pixels; ++t) {
        const Vector value = _mm512_add_ps(sums.at[t][v], bias);
        _mm512_mask_storeu_ps(y + t * product.y_step, mask, clamp(value, low, high));
      }
      continue;
    }
    const float* residual = epilogue.residual + v * kLanes;
#pragma GCC unroll 14
    for (int t = 0; t < Pixels; ++t) {
      const Vector value =
          _mm512_add_ps(_mm512_add_ps(sums.at[t][v], bias),
                        _mm512_maskz_loadu_ps(mask, residual + t * product.residual_step));
      _mm512_mask_storeu_ps(y + t * product.y_step, mask, clamp(value, low, high));
    }
  }
}

template <int Pixels, int Vectors>
FOVEA_AVX512 void multiply_pixels(const Product& product) {
  Sums<Pixels, Vectors> sums;
#pragma GCC unroll 14
  for (int t = 0; t < Pixels; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sums.at[t][v] = _mm512_setzero_ps();
  }
  const std::int64_t step = product.x_step;
  constexpr int kThirds = (Pixels + 2) / 3;
  for (std::int64_t i = 0; i < product.tap_count; ++i) {
    const float* thirds[kThirds];
#pragma GCC unroll 5
    for (int p = 0; p < kThirds; ++p) thirds[p] = product.x + product.taps[i].x + 3 * p * step;
    const float* w = product.w + product.taps[i].w * Vectors * kLanes;
    for (std::int64_t c = 0; c < product.channels; ++c) {
      sums.add(thirds, step, w);
#pragma GCC unroll 5
      for (int p = 0; p < kThirds; ++p) ++thirds[p];
      w += Vectors * kLanes;
    }
  }
  store(product, sums);
}

using Kernel = void(const Product&);

/// kernels[t] is the one for t + 1 pixels.
template <int Vectors, std::size_t... Pixels>
constexpr std::array<Kernel*, sizeof...(Pixels)> kernels(
    std::index_sequence<Pixels...> /*pixels*/) {
  return {multiply_pixels<static_cast<int>(Pixels) + 1, Vectors>...};
}

}  // namespace

void multiply(const Product& product, std::int64_t pixels, std::int64_t vectors) {
  constexpr std::make_index_sequence<static_cast<std::size_t>(kMostPixels)> kPixels;
  static constexpr auto kNarrow = kernels<1>(kPixels);
  static constexpr auto kWide = kernels<2>(kPixels);
  const auto index = static_cast<std::size_t>(pixels - 1);
  (vectors == 2 ? kWide : kNarrow)[index](product);
}

}  // namespace fovea::cpu::direct
