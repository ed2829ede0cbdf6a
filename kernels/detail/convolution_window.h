// Windows of convolutions: where they lie and what they read. Arguments are those of any kernel
// that moves a window over channels-last pictures.
#pragma once

#include <cstdint>

#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// The window of an output pixel: its first row and column, which may lie outside x, and the place
/// of channel 0 there, in elements from x.
struct Window {
  int top;
  int left;
  std::int64_t start;
};

/// Of one of `pixels` output pixels, all pictures together; beyond the last one, the window lies
/// outside x altogether.
template <typename Args>
__device__ __forceinline__ Window window_of(const Args& a, int pixels, int pixel) {
  constexpr int kOutside = -(1 << 30);
  if (pixel >= pixels) return {kOutside, kOutside, 0};
  const int q = pixel % a.out_w;
  const int row = pixel / a.out_w;
  const int top = row % a.out_h * a.stride_h - a.pad_top;
  const int left = q * a.stride_w - a.pad_left;
  const std::int64_t first_row = static_cast<std::int64_t>(row / a.out_h) * a.h + top;
  return {top, left, (first_row * a.w + left) * a.x_stride};
}

/// Whether this row and column of the window lie inside of x.
template <typename Args>
__device__ __forceinline__ bool is_inside(const Args& a, const Window& at, int row, int col) {
  return static_cast<unsigned>(at.top + row * a.dilation_h) < static_cast<unsigned>(a.h) &&
         static_cast<unsigned>(at.left + col * a.dilation_w) < static_cast<unsigned>(a.w);
}

/// Where channel 0 of this row and column of the window lies, in elements from x.
template <typename Args>
__device__ __forceinline__ std::int64_t offset_of(const Args& a,
                                                  const Window& at,
                                                  int row,
                                                  int col) {
  const std::int64_t first = static_cast<std::int64_t>(row) * a.dilation_h * a.w;
  return at.start + (first + col * a.dilation_w) * a.x_stride;
}

}  // namespace fovea::kernels
