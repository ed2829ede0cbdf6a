// Borders of one value around channels-last pictures.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

/// A padding; x and y have their own pixel strides, so that each may be a channel slice. Rows and
/// columns after the picture follow from the sizes.
struct PadArgs {
  ElementType type = ElementType::kFloat32;  ///< of x and y
  const void* x = nullptr;                   ///< device; channel 0 of pixel 0
  void* y = nullptr;                         ///< device; must not overlap x
  std::int64_t x_stride = 0;                 ///< elements from one pixel to the next, >= c
  std::int64_t y_stride = 0;                 ///< likewise
  int n = 0;                                 ///< pictures, >= 0; nothing is launched for 0
  int h = 0;                                 ///< of x, >= 1
  int w = 0;
  int c = 0;        ///< channels, >= 1
  int out_h = 0;    ///< of y, >= pad_top + h
  int out_w = 0;    ///< likewise
  int pad_top = 0;  ///< >= 0
  int pad_left = 0;
  float value = 0.0F;  ///< of the border; rounded to the elements' type
};

/// y[n,p,q,c] = x[n, p - pad_top, q - pad_left, c], bit for bit, or `value` where that is outside
/// x.
///
/// The floor is one read of x and one write of y.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or y
/// has 2^31 elements or more.
[[nodiscard]] cudaError_t pad(const PadArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
