// Convolutions of channels-last pictures as products of matrices that are never laid out: every
// block computes a tile of output pixels times filters, and gathers what it multiplies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <cuda_runtime_api.h>

#include "kernels/activation.h"
#include "kernels/element.h"

namespace fovea::kernels {

/// A convolution with everything that follows it. Every picture has its own pixel stride, so that
/// each may be a channel slice.
struct ConvolutionArgs {
  ElementType type = ElementType::kFloat32;  ///< of x, weights, residual and y
  const void* x = nullptr;                   ///< device; channel 0 of pixel 0
  const void* weights = nullptr;  ///< device, aligned to 16 bytes: one row for every filter, of its
                                  ///< elements [kernel_h][kernel_w][c / groups] and zeros up to
                                  ///< packed_depth() elements
  const float* bias = nullptr;    ///< device, dense [filters]; null for none
  const void* residual = nullptr;    ///< device; null for none
  void* y = nullptr;                 ///< device; may be the residual where the strides are equal,
                                     ///< otherwise it must not overlap the others
  std::int64_t x_stride = 0;         ///< elements from one pixel to the next, >= c
  std::int64_t residual_stride = 0;  ///< likewise, >= filters, where there is a residual
  std::int64_t y_stride = 0;         ///< likewise, >= filters
  int n = 0;                         ///< pictures, >= 0; nothing is launched for 0
  int h = 0;                         ///< of x, >= 1
  int w = 0;
  int c = 0;      ///< channels of x, divisible by groups
  int out_h = 0;  ///< of y, >= 1
  int out_w = 0;
  int filters = 0;  ///< channels of y, divisible by groups
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int dilation_h = 1;
  int dilation_w = 1;
  int pad_top = 0;  ///< >= 0; padding after the last row and column follows from the sizes
  int pad_left = 0;
  int groups = 1;
  Activation activation{};
  int activation_channels = 0;  ///< leading channels of y that have the activation; 0: all
  bool input_relu = false;      ///< x counts as max(x, 0), NaN as NaN
};

/// Elements of one filter, kernel_h * kernel_w * c / groups, with what makes them whole 16 bytes.
[[nodiscard]] constexpr std::int64_t packed_depth(std::int64_t depth, ElementType type) {
  const auto chunk = static_cast<std::int64_t>(16 / bytes_of(type));
  return (depth + chunk - 1) / chunk * chunk;
}

/// How a block computes: pixels x filters of its tile, by multiply-adds of float32 (kSimt) or by
/// tensor cores (kMma), which round float32 operands to 10 bits of fraction (TF32).
enum class ConvolutionTile : std::uint8_t {
  kSimt64x64,
  kSimt128x128,
  kMma64x64,
  kMma128x64,
  kMma128x128
};

/// "simt-64x64" and so on: stable across versions.
[[nodiscard]] std::string_view name_of(ConvolutionTile tile);

[[nodiscard]] bool uses_tensor_cores(ConvolutionTile tile);

/// The tiles that compute this convolution without being more than twice too large for its filters
/// and pixels, best guess first; addresses do not matter. Empty where a size is out of range.
/// Tensor cores need compute capability 8.0, and know no input_relu.
[[nodiscard]] std::vector<ConvolutionTile> convolution_tiles(const ConvolutionArgs& args);

/// y[n,p,q,o] = act(sum_{r,s,i} x[n, p * stride_h + r * dilation_h - pad_top, ..., i]
///                  * weights[o][r,s,i] + residual[n,p,q,o] + bias[o]), zeros outside x; i runs
///                  over
/// the channels of o's group. Sums are in float32: kSimt adds products in the order of r, s, i,
/// kMma as the tensor cores do. The result is rounded to `type` once.
///
/// Any tile computes any convolution, apart from input_relu. Addresses and strides that are
/// multiples of 16 bytes, and channels of a group too, are read 16 bytes at a time; others element
/// by element. Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of
/// range, weights are not aligned, the tile knows no input_relu, y has 2^30 pixels or 2^31 tiles or
/// more, or its rows or columns times the stride are more than 2^28.
[[nodiscard]] cudaError_t convolution(const ConvolutionArgs& args,
                                      ConvolutionTile tile,
                                      cudaStream_t stream);

}  // namespace fovea::kernels
