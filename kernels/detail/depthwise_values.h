// What kernels that convolve depthwise share: the values around a window's sums, and their ranges.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/depthwise.h"
#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/window_range.h"

namespace fovea::kernels {

/// Width values of x as the sums read them.
template <int Width, typename T>
__device__ __forceinline__ Values<Width> read_values(const DepthwiseArgs& a, const T* address) {
  auto x = load_values<Width>(address);
  if (a.input_relu) {
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) x.lane[i] = activate({ActivationKind::kRelu}, x.lane[i]);
  }
  return x;
}

/// How many leading channels of y the activation applies to.
__device__ __forceinline__ int activated_channels(const DepthwiseArgs& a) {
  return a.activation_channels == 0 ? a.c * a.multiplier : a.activation_channels;
}

/// What follows the sums, of the channels from `channel` on.
template <int Width>
__device__ __forceinline__ void add_bias_and_activate(const DepthwiseArgs& a,
                                                      int channel,
                                                      Values<Width>& sums) {
  const int activated = activated_channels(a);
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) {
    if (a.bias != nullptr) sums.lane[i] += a.bias[channel + i];
    if (channel + i < activated) sums.lane[i] = activate(a.activation, sums.lane[i]);
  }
}

/// Everything but addresses, strides and the number of elements.
inline bool is_described(const DepthwiseArgs& a) {
  return a.n >= 0 && a.c >= 1 && a.multiplier >= 1 && windows_in_range(a) &&
         a.activation_channels >= 0 && a.activation_channels <= std::int64_t{a.c} * a.multiplier;
}

inline bool in_range(const DepthwiseArgs& a) {
  const std::int64_t outputs = std::int64_t{a.c} * a.multiplier;
  return is_described(a) && a.x_stride >= a.c && a.y_stride >= outputs &&
         (a.residual == nullptr || a.residual_stride >= outputs) &&
         std::int64_t{a.out_h} * a.out_w <= kMaxItems / outputs / std::max(a.n, 1);
}

}  // namespace fovea::kernels
