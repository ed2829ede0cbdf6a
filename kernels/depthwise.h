// Depthwise convolutions of channels-last pictures.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/activation.h"
#include "kernels/element.h"

namespace fovea::kernels {

/// A depthwise convolution with what is fused before and behind it. Pixels of x, residual and y
/// have strides of their own, so that each may be a channel slice; `outputs` = c * multiplier.
/// Padding after the last row and column follows from the sizes.
struct DepthwiseArgs {
  ElementType type = ElementType::kFloat32;  ///< of x, weights, residual and y
  const void* x = nullptr;                   ///< device; channel 0 of pixel 0
  const void* weights = nullptr;     ///< device, dense [kernel_h][kernel_w][outputs], finite: the
                                     ///< border's zeros are multiplied too
  const float* bias = nullptr;       ///< device, dense [outputs]; null for none
  const void* residual = nullptr;    ///< device; null for none
  void* y = nullptr;                 ///< device; may be residual where the strides are equal,
                                     ///< otherwise it must not overlap an input
  std::int64_t x_stride = 0;         ///< elements from one pixel to the next, >= c
  std::int64_t residual_stride = 0;  ///< likewise, >= outputs, where there is a residual
  std::int64_t y_stride = 0;         ///< likewise, >= outputs
  int n = 0;                         ///< pictures, >= 0; nothing is launched for 0
  int h = 0;                         ///< of x, >= 1
  int w = 0;
  int c = 0;           ///< channels of x, >= 1
  int multiplier = 1;  ///< outputs per channel, >= 1: output o reads channel o / multiplier
  int out_h = 0;       ///< of y, >= 1
  int out_w = 0;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int dilation_h = 1;
  int dilation_w = 1;
  int pad_top = 0;  ///< >= 0
  int pad_left = 0;
  bool input_relu = false;      ///< f(x) = max(x, 0) instead of x; NaN stays NaN
  Activation activation{};      ///< of y
  int activation_channels = 0;  ///< leading ones of y that it applies to; 0: all
};

/// y[n,p,q,o] = act(sum_{r,s} f(x[n, p * stride_h + r * dilation_h - pad_top, ..., o / multiplier])
///                  * weights[r][s][o] + residual[n,p,q,o] + bias[o]), zeros outside x.
///
/// Sums are in float32; those of a picture do not depend on the others of its batch. Fastest where
/// all strides and channel counts and all addresses are multiples of 16 bytes, with windows of 3x3,
/// 5x5 and 7x7, strides of 1 or 2 along both sides, no dilation, less padding than a window, one
/// output per channel and activations other than kTanh and kSigmoid.
///
/// The floor is one read of x and one write of y: n * (h * w + out_h * out_w) * c elements; the
/// residual adds n * out_h * out_w * c.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range, y has
/// 2^31 elements or more, or a row or column of a window is numbered 2^31 or higher.
[[nodiscard]] cudaError_t depthwise(const DepthwiseArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
