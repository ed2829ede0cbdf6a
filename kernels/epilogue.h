// What follows a convolution, a dense layer or nothing at all: sums and an activation.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/activation.h"
#include "kernels/element.h"

namespace fovea::kernels {

/// Pixels of `channels` elements; every tensor has its own pixel stride, so that each may be a
/// channel slice.
struct EpilogueArgs {
  ElementType type = ElementType::kFloat32;  ///< of x, residual and y
  const void* x = nullptr;                   ///< device
  const float* bias = nullptr;               ///< device, dense [bias_channels]; null for none
  const void* residual = nullptr;            ///< device; null for none
  void* y = nullptr;                 ///< device; may be x or residual where the strides are equal,
                                     ///< otherwise it must not overlap them
  std::int64_t x_stride = 0;         ///< elements from one pixel to the next, >= channels
  std::int64_t residual_stride = 0;  ///< likewise, where there is a residual
  std::int64_t y_stride = 0;         ///< likewise
  std::int64_t pixels = 0;           ///< >= 0; nothing is launched for 0
  int channels = 0;                  ///< >= 1
  int bias_channels = 0;             ///< `channels`, or 1 for one value that all channels share
  Activation activation{};
};

/// y[p][c] = activation(x[p][c] + residual[p][c] + bias[c]), in float32 in this order.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or y
/// has 2^31 elements or more.
[[nodiscard]] cudaError_t epilogue(const EpilogueArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
