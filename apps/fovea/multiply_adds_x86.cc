// For x86-64: chosen at run time between AVX-512, AVX2 and nothing.
#include <cstddef>

#include <cpuid.h>
#include <immintrin.h>

#include "apps/fovea/multiply_adds.h"

namespace fovea::app {

namespace {

/// Enough to hide the instruction's latency: 4 cycles, two a cycle, and some more.
constexpr std::size_t kChains = 12;

// x = x * factor + addend with a fixed point at 1: the values stay ordinary numbers.
constexpr float kFactor = 0.5F;
constexpr float kAddend = 0.5F;

[[gnu::target("avx512f")]] float avx512(std::int64_t repeats) {
  const __m512 factor = _mm512_set1_ps(kFactor);
  const __m512 addend = _mm512_set1_ps(kAddend);
  __m512 chains[kChains];
  for (__m512& chain : chains) chain = addend;
  for (std::int64_t i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
    for (std::size_t j = 0; j < kChains; ++j) {
      chains[j] = _mm512_fmadd_ps(chains[j], factor, addend);
    }
  }
  __m512 sum = chains[0];
  for (std::size_t j = 1; j < kChains; ++j) sum = _mm512_add_ps(sum, chains[j]);
  return _mm512_cvtss_f32(sum);
}

[[gnu::target("avx2,fma")]] float avx2(std::int64_t repeats) {
  const __m256 factor = _mm256_set1_ps(kFactor);
  const __m256 addend = _mm256_set1_ps(kAddend);
  __m256 chains[kChains];
  for (__m256& chain : chains) chain = addend;
  for (std::int64_t i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
    for (std::size_t j = 0; j < kChains; ++j) {
      chains[j] = _mm256_fmadd_ps(chains[j], factor, addend);
    }
  }
  __m256 sum = chains[0];
  for (std::size_t j = 1; j < kChains; ++j) sum = _mm256_add_ps(sum, chains[j]);
  return _mm256_cvtss_f32(sum);
}

[[gnu::target("avx512f,avx512bf16")]] float avx512_bf16(std::int64_t repeats) {
  const auto zeros = reinterpret_cast<__m512bh>(_mm512_setzero_si512());
  __m512 chains[kChains];
  for (__m512& chain : chains) chain = _mm512_set1_ps(kAddend);
  for (std::int64_t i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
    for (std::size_t j = 0; j < kChains; ++j) {
      chains[j] = _mm512_dpbf16_ps(chains[j], zeros, zeros);
    }
  }
  __m512 sum = chains[0];
  for (std::size_t j = 1; j < kChains; ++j) sum = _mm512_add_ps(sum, chains[j]);
  return _mm512_cvtss_f32(sum);
}

/// Whether the processor has matrix instructions: CPUID leaf 7, EDX bit 22 is AMX-BF16.
bool has_amx() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 22U & 1U) != 0;
}

/// Keeps the compiler from leaving the work out.
void use(float value) {
  asm volatile("" : : "x"(value));
}

}  // namespace

double run_multiply_adds(std::int64_t repeats) {
  const double instructions = static_cast<double>(repeats) * kChains;
  if (__builtin_cpu_supports("avx512f") != 0) {
    use(avx512(repeats));
    return instructions * 16;
  }
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    use(avx2(repeats));
    return instructions * 8;
  }
  return 0;
}

double run_bf16_multiply_adds(std::int64_t repeats) {
  if (has_amx()) return 0;
  if (__builtin_cpu_supports("avx512bf16") == 0) return run_multiply_adds(repeats);
  use(avx512_bf16(repeats));
  return static_cast<double>(repeats) * kChains * 32;
}

}  // namespace fovea::app
