#include <algorithm>
#include <limits>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/cpu/pool_pixels.h"

namespace fovea::cpu {

namespace {

FOVEA_AVX512 void largest(const PoolPixels& pixels, float* y, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 mask = mask_of(std::min(kLanes, channels - c));
    Vector best = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
    __mmask16 nan = 0;
    for (std::int64_t r = 0; r < pixels.rows; ++r) {
      const float* x = pixels.x + r * pixels.row_stride + c;
      for (std::int64_t s = 0; s < pixels.columns; ++s, x += pixels.stride) {
        const Vector value = _mm512_maskz_loadu_ps(mask, x);
        nan = static_cast<__mmask16>(nan | _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q));
        best = _mm512_mask_max_ps(best, mask, value, best);
      }
    }
    best = _mm512_mask_mov_ps(best, nan, _mm512_set1_ps(std::numeric_limits<float>::quiet_NaN()));
    _mm512_mask_storeu_ps(y + c, mask, best);
  }
}

FOVEA_AVX512 void mean(const PoolPixels& pixels,
                       float* y,
                       std::int64_t channels,
                       const PoolMean& finish) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 mask = mask_of(std::min(kLanes, channels - c));
    Vector sum = _mm512_setzero_ps();
    for (std::int64_t r = 0; r < pixels.rows; ++r) {
      const float* x = pixels.x + r * pixels.row_stride + c;
      for (std::int64_t s = 0; s < pixels.columns; ++s, x += pixels.stride) {
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, x));
      }
    }
    const Vector mean = _mm512_div_ps(sum, _mm512_set1_ps(finish.divisor));
    _mm512_mask_storeu_ps(
        y + c, mask, clamp(mean, _mm512_set1_ps(finish.low), _mm512_set1_ps(finish.high)));
  }
}

}  // namespace

LargestOfPixels* avx512_largest() {
  return has_avx512() ? largest : nullptr;
}

MeanOfPixels* avx512_mean() {
  return has_avx512() ? mean : nullptr;
}

}  // namespace fovea::cpu
