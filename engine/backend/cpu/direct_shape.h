// The sizes of a direct convolution and where its operands lie.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/axis.h"
#include "engine/backend/cpu/lanes.h"
#include "engine/backend/cpu/range.h"

namespace fovea::cpu::direct {

/// A convolution, or one group of it, on pictures whose pixels may lie in a larger buffer.
struct Convolution {
  std::int64_t batch = 0;
  std::int64_t channels = 0;
  std::int64_t filters = 0;
  Axis rows;
  Axis columns;
  std::int64_t input_stride = 0;     ///< floats from one pixel to the next
  std::int64_t output_stride = 0;    ///< floats from one pixel to the next
  std::int64_t residual_stride = 0;  ///< floats from one pixel to the next
  bool input_relu = false;           ///< inputs below zero count as zero

  /// One element of the kernel on every pixel: a matrix product over the pixels of all pictures.
  [[nodiscard]] bool pointwise() const {
    return rows.kernel == 1 && columns.kernel == 1 && !rows.padded() && !columns.padded();
  }

  [[nodiscard]] std::int64_t pixels() const { return batch * rows.outputs * columns.outputs; }

  [[nodiscard]] std::int64_t taps() const { return rows.kernel * columns.kernel; }

  /// Registers of filters.
  [[nodiscard]] std::int64_t output_blocks() const { return ceil_div(filters, kLanes); }

  /// Floats of the packed weights.
  [[nodiscard]] std::int64_t weight_floats() const {
    return output_blocks() * kLanes * taps() * channels;
  }
};

}  // namespace fovea::cpu::direct
