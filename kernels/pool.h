// Pooling windows over channels-last pictures.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/activation.h"
#include "kernels/element.h"

namespace fovea::kernels {

/// A pooling: its pictures, its windows, and the pixel strides that let either side be a channel
/// slice. Padding after the last row and column follows from the sizes.
struct PoolArgs {
  ElementType type = ElementType::kFloat32;  ///< of x and y
  const void* x = nullptr;                   ///< device; channel 0 of pixel 0
  void* y = nullptr;                         ///< device; must not overlap x
  std::int64_t x_stride = 0;                 ///< elements from one pixel to the next, >= c
  std::int64_t y_stride = 0;                 ///< likewise
  int n = 0;                                 ///< pictures, >= 0
  int h = 0;                                 ///< of x, >= 1
  int w = 0;
  int c = 0;      ///< channels, >= 1
  int out_h = 0;  ///< of y, >= 1
  int out_w = 0;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int pad_top = 0;  ///< 0 to kernel_h - 1
  int pad_left = 0;
  Activation activation{};  ///< of averages only
  int walk = 0;  ///< rows of y a thread computes; 0: what suits the sizes; of some windows only
};

/// y[n,p,q,c] = the largest x in the window; padding does not count, NaN wins. Where zeros of both
/// signs are the largest, either may be the result.
///
/// Every window must hold an element of x. Does not wait. Returns the launch error,
/// cudaErrorInvalidValue if a size is out of range or y has 2^31 elements or more.
[[nodiscard]] cudaError_t max_pool(const PoolArgs& args, cudaStream_t stream);

/// y[n,p,q,c] = act(the sum of x in the window divided by the number of elements of the window):
/// those in x, or all kernel_h * kernel_w where `count_padding`. Sums are in float32.
///
/// Conditions and errors as of max_pool.
[[nodiscard]] cudaError_t average_pool(const PoolArgs& args,
                                       bool count_padding,
                                       cudaStream_t stream);

}  // namespace fovea::kernels
