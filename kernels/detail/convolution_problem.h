// A convolution as a product of matrices, for every kernel that computes one: rows are output
// pixels, columns are filters, and the depth that is summed over runs over a filter's elements.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/convolution.h"
#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// Channels of y that a thread finishes at once where their places allow it.
inline constexpr int kFinished = 4;

/// The arguments with what follows from them.
struct ConvolutionProblem {
  ConvolutionArgs args;
  int pixels = 0;          ///< of y, all pictures together
  int depth = 0;           ///< elements of a filter
  int packed_depth = 0;    ///< elements from one filter to the next
  int group_channels = 0;  ///< of x
  int group_filters = 0;
  int filter_tiles = 0;           ///< of one group
  int activated = 0;              ///< leading channels of y that have the activation
  bool finishes_vectors = false;  ///< kFinished channels lie in one group, and are aligned
};

/// The first pixel and filter of a block's tile; filters are those of one group.
struct ConvolutionPlace {
  int pixel;
  int filter;
  int group;
};

/// Neighbouring blocks have the same pixels, which they then find in the cache.
__device__ __forceinline__ ConvolutionPlace place_of_block(const ConvolutionProblem& z,
                                                           int tile_pixels,
                                                           int tile_filters) {
  const int block = static_cast<int>(blockIdx.x);
  const int row = block / z.filter_tiles;
  return {row / z.args.groups * tile_pixels,
          block % z.filter_tiles * tile_filters,
          row % z.args.groups};
}

/// The window of an output pixel: its first row and column, which may lie outside x, and the place
/// of the group's first channel there, in elements from x.
struct Window {
  int top;
  int left;
  std::int64_t start;
};

/// Of pixels beyond the last, the window lies outside x altogether.
__device__ __forceinline__ Window window_of(const ConvolutionProblem& z, int pixel, int group) {
  const ConvolutionArgs& a = z.args;
  constexpr int kOutside = -(1 << 30);
  if (pixel >= z.pixels) return {kOutside, kOutside, 0};
  const int q = pixel % a.out_w;
  const int row = pixel / a.out_w;
  const int top = row % a.out_h * a.stride_h - a.pad_top;
  const int left = q * a.stride_w - a.pad_left;
  const std::int64_t first_row = static_cast<std::int64_t>(row / a.out_h) * a.h + top;
  return {
      top,
      left,
      (first_row * a.w + left) * a.x_stride + static_cast<std::int64_t>(group) * z.group_channels};
}

/// An element of a filter: row and column of the window, and a channel of the group.
struct Tap {
  int row;
  int col;
  int channel;
};

__device__ __forceinline__ Tap tap_at(const ConvolutionProblem& z, int element) {
  const int pixel = element / z.group_channels;
  return {pixel / z.args.kernel_w, pixel % z.args.kernel_w, element % z.group_channels};
}

/// Moves on by `elements` >= 0.
__device__ __forceinline__ void advance(const ConvolutionProblem& z, Tap& tap, int elements) {
  tap.channel += elements;
  while (tap.channel >= z.group_channels) {
    tap.channel -= z.group_channels;
    if (++tap.col < z.args.kernel_w) continue;
    tap.col = 0;
    ++tap.row;
  }
}

/// Whether the tap is one of the filter's and reads an element of x.
__device__ __forceinline__ bool reads(const ConvolutionProblem& z, const Window& at, Tap tap) {
  if (tap.row >= z.args.kernel_h) return false;  // farther on, rows may not fit an int
  const int row = at.top + tap.row * z.args.dilation_h;
  const int col = at.left + tap.col * z.args.dilation_w;
  return static_cast<unsigned>(row) < static_cast<unsigned>(z.args.h) &&
         static_cast<unsigned>(col) < static_cast<unsigned>(z.args.w);
}

/// Where the tap reads, in elements from x.
__device__ __forceinline__ std::int64_t offset_of(const ConvolutionProblem& z,
                                                  const Window& at,
                                                  Tap tap) {
  const std::int64_t row = static_cast<std::int64_t>(tap.row) * z.args.dilation_h;
  const int col = tap.col * z.args.dilation_w;
  const std::int64_t pixel = row * z.args.w + col;
  return at.start + pixel * z.args.x_stride + tap.channel;
}

/// The Width elements of x from `tap` on, which need not be neighbours; zeros outside x and beyond
/// the filter.
template <typename T, int Width>
__device__ __forceinline__ Packed<T, Width> gather(const ConvolutionProblem& z,
                                                   const Window& at,
                                                   Tap tap) {
  Packed<T, Width> elements;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) {
    elements.lane[i] = reads(z, at, tap) ? static_cast<const T*>(z.args.x)[offset_of(z, at, tap)]
                                         : from_float<T>(0.0F);
    advance(z, tap, 1);
  }
  return elements;
}

/// Calls `piece(std::integral_constant<int, Width>, first)` for the valid ones of kFinished filters
/// from the group's `filter` on: for all at once where they lie aligned, else one by one.
template <typename Piece>
__device__ __forceinline__ void for_each_piece(const ConvolutionProblem& z,
                                               int filter,
                                               const Piece& piece) {
  if (z.finishes_vectors) {
    piece(std::integral_constant<int, kFinished>{}, 0);
    return;
  }
  SIMT_UNROLL
  for (int i = 0; i < kFinished; ++i) {
    if (filter + i < z.group_filters) piece(std::integral_constant<int, 1>{}, i);
  }
}

/// Finishes the sums of kFinished filters from the group's `filter` on, for one pixel; those beyond
/// the last filter or pixel are dropped. Every element of the residual is read by the thread that
/// then writes the same element of y, and by no other, so that y may be the residual.
template <typename T>
__device__ __forceinline__ void finish_sums(
    const ConvolutionProblem& z, int group, int pixel, int filter, Values<kFinished> value) {
  if (pixel >= z.pixels || filter >= z.group_filters) return;
  const ConvolutionArgs& a = z.args;
  const std::int64_t row = pixel;
  const int channel = group * z.group_filters + filter;
  if (a.residual != nullptr) {
    const T* residual = static_cast<const T*>(a.residual) + row * a.residual_stride + channel;
    for_each_piece(z, filter, [&]<int Width>(std::integral_constant<int, Width>, int first) {
      const auto more = load_values<Width>(residual + first);
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) value.lane[first + i] += more.lane[i];
    });
  }
  SIMT_UNROLL
  for (int i = 0; i < kFinished; ++i) {
    if (a.bias != nullptr && filter + i < z.group_filters) value.lane[i] += a.bias[channel + i];
    if (channel + i < z.activated) value.lane[i] = activate(a.activation, value.lane[i]);
  }
  T* y = static_cast<T*>(a.y) + row * a.y_stride + channel;
  for_each_piece(z, filter, [&]<int Width>(std::integral_constant<int, Width>, int first) {
    Values<Width> piece;
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) piece.lane[i] = value.lane[first + i];
    store_values<Width>(y + first, piece);
  });
}

/// Launches of the two forms; `vectors`: x is read 16 bytes at a time. The number of blocks is one
/// per tile.
[[nodiscard]] cudaError_t launch_convolution_simt(const ConvolutionProblem& problem,
                                                  ConvolutionTile tile,
                                                  bool vectors,
                                                  int blocks,
                                                  cudaStream_t stream);
[[nodiscard]] cudaError_t launch_convolution_mma(const ConvolutionProblem& problem,
                                                 ConvolutionTile tile,
                                                 bool vectors,
                                                 int blocks,
                                                 cudaStream_t stream);

}  // namespace fovea::kernels
