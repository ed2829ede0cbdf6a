// Tiles into the domain where a convolution is a product, and back.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/winograd_shape.h"

namespace fovea::cpu::winograd {

/// Transforms one tile of up to kLanes input channels: B^T d B. Element is float or Bf16.
///
/// picture      {height, width, pixels}, from the first of these channels on
/// lanes        1 to kLanes channels; zeros stand for the others
/// row, column  of the tile's first input; negative or too large where zeros are
/// out          element e of the tile goes to out + e * stride, kLanes floats
///
/// Needs AVX-512 F.
template <typename Element>
void transform_input(const Convolution& conv,
                     const Element* picture,
                     std::int64_t lanes,
                     std::int64_t row,
                     std::int64_t column,
                     float* out,
                     std::int64_t stride);

/// Transforms one tile of up to kLanes output channels back, A^T m A, and stores what lies inside
/// of the picture.
///
/// in           element e of the tile is at in + e * stride, kLanes floats
/// picture      {rows, columns, pixels}, from the first of these channels on; may be the residual
/// lanes        1 to kLanes channels
/// row, column  of the tile's first output
///
/// Needs AVX-512 F.
template <typename Element>
void transform_output(const Convolution& conv,
                      const float* in,
                      std::int64_t stride,
                      const EpilogueOf<Element>& epilogue,
                      Element* picture,
                      std::int64_t lanes,
                      std::int64_t row,
                      std::int64_t column);

}  // namespace fovea::cpu::winograd
