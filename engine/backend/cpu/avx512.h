// What functions with AVX-512 instructions are marked with.
#pragma once

#include <immintrin.h>

// Not a compiler flag of a file: inline functions of headers would then be AVX-512 code for all.
#define FOVEA_AVX512 __attribute__((target("avx512f")))

/// For helpers on vectors that must stay in registers.
#define FOVEA_AVX512_INLINE __attribute__((target("avx512f"), always_inline)) inline

namespace fovea::cpu {

/// 16 values of float32.
using Vector = __m512;

}  // namespace fovea::cpu
