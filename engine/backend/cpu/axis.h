// A window that moves along one side of a picture.
#pragma once

#include <cstdint>

#include "engine/graph/ops/window.h"

namespace fovea::cpu {

/// One of the two directions of a picture.
struct Axis {
  std::int64_t inputs = 1;
  std::int64_t outputs = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t before = 0;  ///< zeros before the first input

  /// The input under the kernel's first element at an output; negative where zeros are.
  [[nodiscard]] std::int64_t first_input(std::int64_t output) const {
    return output * stride - before;
  }

  /// Inputs from the first to the last that so many neighbouring outputs read, both included.
  [[nodiscard]] std::int64_t span(std::int64_t count) const {
    return (count - 1) * stride + (kernel - 1) * dilation + 1;
  }

  /// Whether any output reads zeros.
  [[nodiscard]] bool padded() const {
    return before > 0 || first_input(outputs - 1) + span(1) > inputs;
  }

  /// The kernel's elements that lie inside of the picture at an output.
  [[nodiscard]] Taps inside(std::int64_t output) const {
    return taps_inside(inputs, first_input(output), kernel, dilation);
  }
};

}  // namespace fovea::cpu
