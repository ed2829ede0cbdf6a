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

/// What makes a sum of pixels a mean: min(max(sum / divisor, low), high), NaN for NaN.
struct PoolMean {
  float divisor = 1.0F;
  float low = 0.0F;
  float high = 0.0F;
};

/// y[c] = the mean of channel c of the pixels, summed in their order.
using MeanOfPixels = void(const PoolPixels& pixels,
                          float* y,
                          std::int64_t channels,
                          const PoolMean& finish);

/// The functions with AVX-512 instructions; null where the processor has none.
[[nodiscard]] LargestOfPixels* avx512_largest();
[[nodiscard]] MeanOfPixels* avx512_mean();

}  // namespace fovea::cpu
