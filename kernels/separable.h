// Separable convolutions of channels-last pictures: a depthwise one and the pointwise one behind it
// in one launch, so that what lies between them is never in memory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <cuda_runtime_api.h>

#include "kernels/convolution.h"
#include "kernels/depthwise.h"
#include "kernels/element.h"

namespace fovea::kernels {

/// The two launches that one stands for. What the first would write and the second would read is
/// not looked at: depthwise.y and y_stride, pointwise.x and x_stride.
struct SeparableArgs {
  DepthwiseArgs depthwise;    ///< windows of 3x3, multiplier 1, no residual
  ConvolutionArgs pointwise;  ///< windows of 1x1, 1 apart, no padding, groups or input_relu; of the
                              ///< same type, its pictures as large as those of depthwise
};

/// How a block computes, as ConvolutionTile says: pixels x filters of its tile.
enum class SeparableTile : std::uint8_t {
  kSimt64x64,
  kSimt128x128,
  kMma64x64,
  kMma64x128,
  kMma64x256
};

/// "simt-64x64" and so on: stable across versions.
[[nodiscard]] std::string_view name_of(SeparableTile tile);

[[nodiscard]] bool uses_tensor_cores(SeparableTile tile);

/// The tiles that fit the pointwise part, see convolution_tiles(), and compute the depthwise one at
/// most twice; best guess first. Addresses and strides do not matter. Empty where a size is out of
/// range or separable() does not know the convolution.
[[nodiscard]] std::vector<SeparableTile> separable_tiles(const SeparableArgs& args);

/// Whether channels, addresses and strides are those that separable() takes.
[[nodiscard]] bool separable_reads(const SeparableArgs& args);

/// What depthwise(args.depthwise) and then convolution(args.pointwise) write, with a dense tensor
/// of the element type between them. Its values are the same bit for bit: the sums are made in the
/// same order and rounded to the type before they are multiplied. So are the results where `tile`
/// sums in the order of the tile that they are compared with: kSimt as every kSimt, kMma as every
/// kMma.
///
/// Saved are the write and the read of n * out_h * out_w * c elements, and a launch. What it costs:
/// every tile of filters computes the depthwise part again, nine reads of x from the cache and nine
/// multiply-adds for every element, and blocks wait for that between their products. So it pays
/// where both parts wait for memory: few channels on large pictures, all filters in one tile, as in
/// the first blocks of MobileNet and Xception. It does not where the product's arithmetic is what
/// takes the time (a thousand channels), or where filters need several tiles.
///
/// Channels of x, its stride, and the addresses of x and of both weights are multiples of 16 bytes.
/// The floor is one read of x and one write of y.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue for what depthwise() and
/// convolution() refuse, for windows and sizes other than those above, and for others than those
/// multiples. Tensor cores need compute capability 8.0.
[[nodiscard]] cudaError_t separable(const SeparableArgs& args,
                                    SeparableTile tile,
                                    cudaStream_t stream);

}  // namespace fovea::kernels
