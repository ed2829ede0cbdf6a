
#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/depthwise_pixels.h"
#include "engine/backend/cpu/library.h"

namespace fovea::cpu {

namespace {

/// Columns of the window whose neighbouring pixels share inputs in registers.
constexpr int kColumns = 3;

template <bool Relu, bool Masked>
FOVEA_AVX512_INLINE Vector input(const float* x, Lanes<Masked> lanes) {
  const Vector value = lanes.load(x);
  if constexpr (!Relu) return value;
  constexpr __mmask16 kAll = 0xFFFF;
  return _mm512_maskz_max_ps(kAll, _mm512_setzero_ps(), value);  // NaN stays NaN
}

template <int Pixels>
struct Sums {
  Vector at[Pixels];

  FOVEA_AVX512_INLINE Sums() {
#pragma GCC unroll 4
    for (int t = 0; t < Pixels; ++t) at[t] = _mm512_setzero_ps();
  }

  /// Adds three taps of one row where neighbouring pixels are neighbouring taps, too: every input
  /// is read once.
  template <bool Relu, bool Masked>
  FOVEA_AVX512_INLINE void add_row(const DepthwisePixels& call,
                                   const float* x,
                                   const float* w,
                                   Lanes<Masked> lanes) {
    Vector inputs[Pixels + kColumns - 1];
#pragma GCC unroll 6
    for (int i = 0; i < Pixels + kColumns - 1; ++i) {
      inputs[i] = input<Relu>(x + i * call.column_stride, lanes);
    }
#pragma GCC unroll 3
    for (int s = 0; s < kColumns; ++s) {
      const Vector weights = _mm512_loadu_ps(w + s * call.w_column);
#pragma GCC unroll 4
      for (int t = 0; t < Pixels; ++t) at[t] = _mm512_fmadd_ps(inputs[t + s], weights, at[t]);
    }
  }

  template <bool Relu, bool Masked>
  FOVEA_AVX512_INLINE void add_tap(const DepthwisePixels& call,
                                   const float* x,
                                   const float* w,
                                   Lanes<Masked> lanes) {
    const Vector weights = _mm512_loadu_ps(w);
#pragma GCC unroll 4
    for (int t = 0; t < Pixels; ++t) {
      at[t] = _mm512_fmadd_ps(input<Relu>(x + t * call.step, lanes), weights, at[t]);
    }
  }
};

/// One register of channels, from channel c on.
template <int Pixels, bool Relu, bool Masked>
FOVEA_AVX512_INLINE void channels(const DepthwisePixels& call,
                                  std::int64_t c,
                                  Lanes<Masked> lanes) {
  Sums<Pixels> sums;
  const bool shared = Pixels > 1 && call.columns == kColumns && call.step == call.column_stride;
  for (std::int64_t r = 0; r < call.rows; ++r) {
    const float* x = call.x + r * call.row_stride + c;
    const float* w = call.w + r * call.w_row + c;
    if (shared) {
      sums.template add_row<Relu>(call, x, w, lanes);
      continue;
    }
    for (std::int64_t s = 0; s < call.columns; ++s) {
      sums.template add_tap<Relu>(call, x + s * call.column_stride, w + s * call.w_column, lanes);
    }
  }
  const Vector bias = _mm512_loadu_ps(call.epilogue.bias + c);
  const Vector low = _mm512_loadu_ps(call.epilogue.low + c);
  const Vector high = _mm512_loadu_ps(call.epilogue.high + c);
#pragma GCC unroll 4
  for (int t = 0; t < Pixels; ++t) {
    lanes.store(call.y + t * call.y_step + c, clamp(_mm512_add_ps(sums.at[t], bias), low, high));
  }
}

template <int Pixels, bool Relu>
FOVEA_AVX512 void all_channels(const DepthwisePixels& call) {
  std::int64_t c = 0;
  for (; c + kLanes <= call.channels; c += kLanes) {
    channels<Pixels, Relu>(call, c, Lanes<false>{mask_of(kLanes)});
  }
  if (c < call.channels) channels<Pixels, Relu>(call, c, Lanes<true>{mask_of(call.channels - c)});
}

void run(const DepthwisePixels& call, std::int64_t pixels, bool relu) {
  if (pixels == 1) {
    relu ? all_channels<1, true>(call) : all_channels<1, false>(call);
  } else {
    relu ? all_channels<kDepthwisePixels, true>(call) : all_channels<kDepthwisePixels, false>(call);
  }
}

}  // namespace

DepthwiseKernel* avx512_depthwise() {
  return has_avx512() ? run : nullptr;
}

}  // namespace fovea::cpu
