#include "engine/backend/cpu/dense_product.h"

#include <array>
#include <utility>

#include "engine/backend/cpu/avx512.h"

namespace fovea::cpu::dense {

namespace {

struct Float32 {
  FOVEA_AVX512_INLINE static void add(Vector& sum, Vector x, Vector w) {
    sum = _mm512_fmadd_ps(x, w, sum);
  }
};

struct BFloat16 {
  /// The instruction by name: an intrinsic function of it would make code that the compiler takes
  /// to be for processors with AVX-512 BF16 of every function that it is inlined into.
  FOVEA_AVX512_INLINE static void add(Vector& sum, Vector x, Vector w) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x));
  }
};

FOVEA_AVX512_INLINE Vector load(const Word* from) {
  return _mm512_castsi512_ps(_mm512_loadu_si512(from));
}

// `Rows * kPanelVectors` independent sums hide the latency of the multiply-adds.
template <int Rows, typename Element>
FOVEA_AVX512 void multiply_rows(const Product& product) {
  constexpr int kVectors = static_cast<int>(kPanelVectors);
  Vector sums[Rows][kVectors];
#pragma GCC unroll 14
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = _mm512_loadu_ps(product.sums + r * kPanelUnits + v * kLanes);
    }
  }
  const Word* x = product.x;
  const Word* w = product.w;
  const Word* fetch = product.fetch;
  for (std::int64_t k = 0; k < product.words; ++k) {
    Vector weights[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      weights[v] = load(w + v * kLanes);
      _mm_prefetch(reinterpret_cast<const char*>(fetch + v * kLanes), _MM_HINT_T0);
    }
#pragma GCC unroll 14
    for (int r = 0; r < Rows; ++r) {
      const Vector input = _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(x[r])));
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) Element::add(sums[r][v], input, weights[v]);
    }
    x += Rows;
    w += kPanelUnits;
    fetch += product.fetch_step;
  }
#pragma GCC unroll 14
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_ps(product.sums + r * kPanelUnits + v * kLanes, sums[r][v]);
    }
  }
}

using Kernel = void(const Product&);

/// kernels[r] is the one for r + 1 rows.
template <typename Element, std::size_t... Rows>
constexpr std::array<Kernel*, sizeof...(Rows)> kernels(std::index_sequence<Rows...> /*rows*/) {
  return {multiply_rows<static_cast<int>(Rows) + 1, Element>...};
}

template <typename Element>
void multiply(const Product& product, std::int64_t rows) {
  static constexpr auto kKernels =
      kernels<Element>(std::make_index_sequence<static_cast<std::size_t>(kMostRows)>{});
  kKernels[static_cast<std::size_t>(rows - 1)](product);
}

}  // namespace

void multiply_f32(const Product& product, std::int64_t rows) {
  multiply<Float32>(product, rows);
}

void multiply_bf16(const Product& product, std::int64_t rows) {
  multiply<BFloat16>(product, rows);
}

}  // namespace fovea::cpu::dense
