// Copies of inputs from which the products of a direct convolution read.
#pragma once

#include "engine/backend/cpu/direct_run.h"
#include "engine/backend/cpu/range.h"

namespace fovea::cpu::direct {

/// The direction in which the pixels of a product lie beside each other, and the other one. The
/// pixels of all pictures are one line where the convolution is pointwise.
struct Axes {
  Axes(const Convolution& conv, const Schedule& schedule);

  Axis along;
  Axis across;
  std::int64_t along_pixels = 1;   ///< input pixels from one to the next along
  std::int64_t across_pixels = 1;  ///< input pixels from one to the next across
  std::int64_t out_along_pixels = 1;
  std::int64_t out_across_pixels = 1;

  /// Inputs across that some lines of outputs read and that are there.
  [[nodiscard]] Range inputs_of(Range lines) const;

  /// Inputs of a copied line, zeros before and behind included.
  [[nodiscard]] std::int64_t staged_length() const { return along.span(along.outputs); }
};

/// Floats of scratch memory of one thread.
[[nodiscard]] std::int64_t staged_floats(const Convolution& conv, const Schedule& schedule);

/// Copies the input of each of these output pixels of a pointwise convolution.
///
/// x       the first picture
/// stride  floats from one copied pixel to the next
void stage_pixels(
    const Convolution& conv, const float* x, Range pixels, std::int64_t stride, float* out);

/// Copies lines of inputs of one picture, with the zeros that the outputs read around them.
void stage_lines(const Convolution& conv,
                 const Axes& axes,
                 const float* picture,
                 Range inputs,
                 std::int64_t stride,
                 float* out);

}  // namespace fovea::cpu::direct
