// AVX-512 for functions that are chosen at run time.
#pragma once

#include <cstdint>

#include <immintrin.h>

#include "engine/backend/cpu/lanes.h"

// Not a compiler flag of a file: inline functions of headers would then be AVX-512 code for all.
#define FOVEA_AVX512 __attribute__((target("avx512f,prfchw")))

/// For helpers on vectors that must stay in registers.
#define FOVEA_AVX512_INLINE __attribute__((target("avx512f,prfchw"), always_inline)) inline

namespace fovea::cpu {

/// 16 values of float32.
using Vector = __m512;

/// Whether this processor has the instructions.
[[nodiscard]] inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f") != 0;
}

/// The first so many lanes, 0 to kLanes.
[[nodiscard]] inline __mmask16 mask_of(std::int64_t lanes) {
  return static_cast<__mmask16>((1U << static_cast<unsigned>(lanes)) - 1U);
}

/// In this order of operands a NaN stays one. The forms without a mask warn in GCC 12 of a value
/// that it does not initialise.
FOVEA_AVX512_INLINE Vector clamp(Vector value, Vector low, Vector high) {
  constexpr __mmask16 kAll = 0xFFFF;
  return _mm512_maskz_min_ps(kAll, high, _mm512_maskz_max_ps(kAll, low, value));
}

/// Which of kLanes channels there are; without a mask, all. Processors store faster without.
template <bool Masked>
struct Lanes {
  __mmask16 mask;

  [[nodiscard]] FOVEA_AVX512_INLINE Vector load(const float* from) const {
    if constexpr (Masked) return _mm512_maskz_loadu_ps(mask, from);
    return _mm512_loadu_ps(from);
  }

  FOVEA_AVX512_INLINE void store(float* to, Vector value) const {
    if constexpr (Masked) {
      _mm512_mask_storeu_ps(to, mask, value);
    } else {
      _mm512_storeu_ps(to, value);
    }
  }
};

}  // namespace fovea::cpu
