// Pooling windows on pictures with the channels last.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/backend/cpu/axis.h"

namespace fovea::cpu {

/// A pooling window over pictures whose pixels may lie in a larger buffer.
struct PoolWindow {
  std::int64_t batch = 0;
  std::int64_t channels = 0;
  Axis rows;
  Axis columns;
  std::int64_t input_stride = 0;   ///< floats from one pixel to the next
  std::int64_t output_stride = 0;  ///< floats from one pixel to the next
  bool average = false;            ///< the mean; else the largest element, NaN before all
  float low = -std::numeric_limits<float>::infinity();  ///< means are raised to it
  float high = std::numeric_limits<float>::infinity();  ///< and then lowered to it
  bool count_padding = false;  ///< the mean's divisor is the kernel's size, whatever is outside
};

/// y of x on so many OpenMP threads; waits. The bits of a picture depend neither on the rest of the
/// batch nor on the threads.
void pool(const PoolWindow& window, const float* x, float* y, int threads);

}  // namespace fovea::cpu
