// The elements of one pooling window.
#pragma once

#include <cstdint>

namespace fovea::cpu {

/// `rows` x `columns` pixels from x on, at least one.
struct PoolPixels {
  const float* x = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t row_stride = 0;  ///< floats
  std::int64_t stride = 0;      ///< floats from one pixel to the next
};

/// y[c] = the largest channel c of the pixels, NaN before all.
using LargestOfPixels = void(const PoolPixels& pixels, float* y, std::int64_t channels);

/// y[c] = the sum of channel c of the pixels, in their order, by `divisor`.
using MeanOfPixels = void(const PoolPixels& pixels, float* y, std::int64_t channels, float divisor);

/// The functions with AVX-512 instructions; null where the processor has none.
[[nodiscard]] LargestOfPixels* avx512_largest();
[[nodiscard]] MeanOfPixels* avx512_mean();

}  // namespace fovea::cpu
