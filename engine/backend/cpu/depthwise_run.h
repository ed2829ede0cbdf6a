// A whole depthwise convolution over a team of threads.
#pragma once

#include <cstdint>
#include <span>

#include "engine/backend/cpu/axis.h"
#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/epilogue.h"

namespace fovea::cpu {

/// A convolution of every channel with a kernel of its own, on pictures whose pixels may lie in a
/// larger buffer.
struct Depthwise {
  std::int64_t batch = 0;
  std::int64_t channels = 0;
  Axis rows;
  Axis columns;
  std::int64_t input_stride = 0;   ///< floats from one pixel to the next
  std::int64_t output_stride = 0;  ///< floats from one pixel to the next
  bool input_relu = false;         ///< inputs below zero count as zero

  /// Channels of a packed tap, a whole number of registers.
  [[nodiscard]] std::int64_t padded_channels() const;

  [[nodiscard]] std::int64_t weight_floats() const {
    return rows.kernel * columns.kernel * padded_channels();
  }
};

/// Weights by row, column, channel.
///
/// packed  weight_floats() zeros on entry
void pack_weights(const Depthwise& conv, const StoredWeights& stored, std::span<float> packed);

/// Computes on so many OpenMP threads and waits. The bits of a picture depend neither on the rest
/// of the batch nor on the threads.
///
/// epilogue  of padded_channels(); no residual
void run(const Depthwise& conv,
         const float* x,
         const float* w,
         const Epilogue& epilogue,
         float* y,
         int threads);

}  // namespace fovea::cpu
