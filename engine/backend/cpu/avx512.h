// AVX-512 for functions that are chosen at run time.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "engine/backend/cpu/bf16.h"
#include "engine/backend/cpu/lanes.h"

// Not a compiler flag of a file: inline functions of headers would then be AVX-512 code for all.
#define FOVEA_AVX512 __attribute__((target("avx512f,prfchw")))

/// For helpers on vectors that must stay in registers.
#define FOVEA_AVX512_INLINE __attribute__((target("avx512f,prfchw"), always_inline)) inline

namespace fovea::cpu {

/// 16 values of float32.
using Vector = __m512;

/// The first so many lanes, 0 to kLanes.
[[nodiscard]] inline __mmask16 mask_of(std::int64_t lanes) {
  return static_cast<__mmask16>((1U << static_cast<unsigned>(lanes)) - 1U);
}

/// A mask for instructions whose forms without one warn in GCC 12 of a value that it does not
/// initialise.
inline constexpr __mmask16 kAllLanes = 0xFFFF;

/// In this order of operands a NaN stays one.
FOVEA_AVX512_INLINE Vector clamp(Vector value, Vector low, Vector high) {
  return _mm512_maskz_min_ps(kAllLanes, high, _mm512_maskz_max_ps(kAllLanes, low, value));
}

FOVEA_AVX512_INLINE Vector load_bf16(const Bf16* from) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const __m512i words = _mm512_maskz_cvtepu16_epi32(kAllLanes, halves);
  return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAllLanes, words, 16));
}

/// As to_bf16().
FOVEA_AVX512_INLINE void store_bf16(Bf16* to, Vector value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i upper = _mm512_maskz_srli_epi32(kAllLanes, bits, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF));
  const __mmask16 is_nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  const __m512i rounded = _mm512_mask_or_epi32(
      _mm512_add_epi32(bits, half), is_nan, bits, _mm512_set1_epi32(0x0040'0000));
  const __m512i words = _mm512_maskz_srli_epi32(kAllLanes, rounded, 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_maskz_cvtepi32_epi16(kAllLanes, words));
}

/// Which of kLanes channels there are; without a mask, all. Processors store faster without.
template <bool Masked>
struct Lanes {
  __mmask16 mask;

  [[nodiscard]] FOVEA_AVX512_INLINE Vector load(const float* from) const {
    if constexpr (Masked) return _mm512_maskz_loadu_ps(mask, from);
    return _mm512_loadu_ps(from);
  }

  [[nodiscard]] FOVEA_AVX512_INLINE Vector load(const Bf16* from) const {
    if constexpr (!Masked) return load_bf16(from);
    std::array<Bf16, static_cast<std::size_t>(kLanes)> some{};
    std::memcpy(some.data(), from, bytes_of_bf16());
    return load_bf16(some.data());
  }

  FOVEA_AVX512_INLINE void store(Bf16* to, Vector value) const {
    if constexpr (!Masked) return store_bf16(to, value);
    std::array<Bf16, static_cast<std::size_t>(kLanes)> all{};
    store_bf16(all.data(), value);
    std::memcpy(to, all.data(), bytes_of_bf16());
  }

  [[nodiscard]] FOVEA_AVX512_INLINE std::size_t bytes_of_bf16() const {
    return static_cast<std::size_t>(__builtin_popcount(mask)) * sizeof(Bf16);
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
