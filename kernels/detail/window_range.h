// Which windows over a picture kernels can number.
#pragma once

#include <cstdint>

namespace fovea::kernels {

/// Whether rows or columns of windows fit an int with room to spare, see window_of().
inline bool window_in_range(int size, int out, int kernel, int stride, int dilation, int pad) {
  constexpr std::int64_t kMost = 1 << 28;
  return size >= 1 && out >= 1 && kernel >= 1 && stride >= 1 && dilation >= 1 && pad >= 0 &&
         size <= kMost && pad <= kMost && std::int64_t{out} * stride <= kMost &&
         std::int64_t{kernel} * dilation <= kMost;
}

/// Of any arguments with a window that may be dilated.
template <typename Args>
bool windows_in_range(const Args& a) {
  return window_in_range(a.h, a.out_h, a.kernel_h, a.stride_h, a.dilation_h, a.pad_top) &&
         window_in_range(a.w, a.out_w, a.kernel_w, a.stride_w, a.dilation_w, a.pad_left);
}

}  // namespace fovea::kernels
