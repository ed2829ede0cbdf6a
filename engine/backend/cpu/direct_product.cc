#include "engine/backend/cpu/direct_product.h"

#include <array>
#include <utility>

#include "engine/backend/cpu/avx512.h"

namespace fovea::cpu::direct {

namespace {

/// How far ahead weights are fetched: the hardware stops at the end of a page, and with few pixels
/// they are read as fast as memory gives them.
constexpr int kPrefetchFloats = 256;
constexpr int kFarPrefetchFloats = 2048;
constexpr int kFewPixels = 4;

FOVEA_AVX512_INLINE void fetch(const float* address) {
  _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T0);
}

template <int Pixels>
FOVEA_AVX512_INLINE void fetch_inputs(const float* x, std::int64_t step) {
#pragma GCC unroll 14
  for (int t = 0; t < Pixels; ++t) fetch(x + t * step);
}

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
      fetch(w + v * kLanes + (Pixels > kFewPixels ? kPrefetchFloats : kFarPrefetchFloats));
    }
#pragma GCC unroll 14
    for (int t = 0; t < Pixels; ++t) {
      const Vector input = _mm512_set1_ps(thirds[t / 3][(t % 3) * step]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) at[t][v] = _mm512_fmadd_ps(input, weights[v], at[t][v]);
    }
  }

  /// Adds all channels under one tap, a line of the cache at a time.
  FOVEA_AVX512_INLINE void add_tap(const Product& product,
                                   const float* x,
                                   const float* w,
                                   WeightFetch& next) {
    constexpr int kThirds = (Pixels + 2) / 3;
    const std::int64_t step = product.x_step;
    for (std::int64_t left = product.channels; left > 0; left -= kLanes, x += kLanes) {
      if (product.next_x != 0) fetch_inputs<Pixels>(x + product.next_x, step);
      const float* thirds[kThirds];
#pragma GCC unroll 5
      for (int p = 0; p < kThirds; ++p) thirds[p] = x + static_cast<std::int64_t>(3 * p) * step;
      const std::int64_t count = left < kLanes ? left : kLanes;
      for (std::int64_t c = 0; c < count; ++c) {
        add(thirds, step, w);
        next.advance();
#pragma GCC unroll 5
        for (int p = 0; p < kThirds; ++p) ++thirds[p];
        w += Vectors * kLanes;
      }
    }
  }
};

/// The lines that the sums will be stored to, and the residual's, on their way while the sums are
/// computed.
template <int Pixels, int Vectors>
FOVEA_AVX512_INLINE void fetch_outputs(const Product& product) {
#pragma GCC unroll 14
  for (int t = 0; t < Pixels; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      __builtin_prefetch(product.y + t * product.y_step + v * kLanes, 1);
    }
  }
  const float* residual = product.epilogue.residual;
  if (residual == nullptr || residual == product.y) return;
#pragma GCC unroll 14
  for (int t = 0; t < Pixels; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) fetch(residual + t * product.residual_step + v * kLanes);
  }
}

/// Finishes and stores register `v` of every pixel.
template <int Pixels, int Vectors, bool Masked>
FOVEA_AVX512_INLINE void store(const Product& product,
                               const Sums<Pixels, Vectors>& sums,
                               int v,
                               Lanes<Masked> lanes) {
  const Epilogue& epilogue = product.epilogue;
  const Vector bias = _mm512_loadu_ps(epilogue.bias + v * kLanes);
  const Vector low = _mm512_loadu_ps(epilogue.low + v * kLanes);
  const Vector high = _mm512_loadu_ps(epilogue.high + v * kLanes);
  float* y = product.y + v * kLanes;
  if (epilogue.residual == nullptr) {
#pragma GCC unroll 14
    for (int t = 0; t < Pixels; ++t) {
      lanes.store(y + t * product.y_step, clamp(_mm512_add_ps(sums.at[t][v], bias), low, high));
    }
    return;
  }
  const float* residual = epilogue.residual + v * kLanes;
#pragma GCC unroll 14
  for (int t = 0; t < Pixels; ++t) {
    const Vector value = _mm512_add_ps(_mm512_add_ps(sums.at[t][v], bias),
                                       lanes.load(residual + t * product.residual_step));
    lanes.store(y + t * product.y_step, clamp(value, low, high));
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
  fetch_outputs<Pixels, Vectors>(product);
  constexpr std::int64_t kWidth = Vectors * kLanes;
  WeightFetch next = product.next_w;
  for (std::int64_t i = 0; i < product.tap_count; ++i) {
    const Tap& tap = product.taps[i];
    sums.add_tap(product, product.x + tap.x, product.w + tap.w * kWidth, next);
  }
#pragma GCC unroll 2
  for (int v = 0; v < Vectors; ++v) {
    const std::int64_t left = product.filters - v * kLanes;
    if (left >= kLanes) {
      store(product, sums, v, Lanes<false>{mask_of(kLanes)});
    } else {
      store(product, sums, v, Lanes<true>{mask_of(left)});
    }
  }
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
