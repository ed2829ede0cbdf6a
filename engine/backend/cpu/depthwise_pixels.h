// The sums of a depthwise convolution for a few pixels at a time.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/epilogue.h"

namespace fovea::cpu {

/// The most pixels that one call takes.
inline constexpr std::int64_t kDepthwisePixels = 4;

/// y[t][c] = clamp(sum over rows, then columns of f(x[t][row][column][c]) * w[row][column][c] +
/// bias[c]), in that order, where f is nothing or a Relu.
struct DepthwisePixels {
  const float* x = nullptr;  ///< the first pixel's input under the first tap
  std::int64_t step = 0;     ///< floats from one pixel's input to the next one's
  std::int64_t rows = 0;     ///< taps that lie inside of the picture for all pixels of the call
  std::int64_t columns = 0;
  std::int64_t row_stride = 0;  ///< floats from one row of inputs to the next
  std::int64_t column_stride = 0;
  const float* w = nullptr;   ///< of the first tap: channels, padded to whole registers
  std::int64_t w_row = 0;     ///< floats from one row of taps to the next
  std::int64_t w_column = 0;  ///< floats from one tap to the next
  float* y = nullptr;
  std::int64_t y_step = 0;  ///< floats
  std::int64_t channels = 0;
  Epilogue epilogue;  ///< of whole registers; no residual
};

/// pixels  1 or kDepthwisePixels
using DepthwiseKernel = void(const DepthwisePixels& call, std::int64_t pixels, bool relu);

/// The function with AVX-512 instructions; null where the processor has none.
[[nodiscard]] DepthwiseKernel* avx512_depthwise();

/// The same for every processor.
void depthwise_pixels(const DepthwisePixels& call, std::int64_t pixels, bool relu);

}  // namespace fovea::cpu
