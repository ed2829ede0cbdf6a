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

}  // namespace fovea::kernels
