// The host's side of convolutions: which sizes are in range, which tiles fit them, and the
// launches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/convolution.h"
#include "kernels/detail/convolution_problem.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/window_range.h"

namespace fovea::kernels {

/// A block's tile, by the enumerator of whoever launches it.
template <typename Tile>
struct TileFacts {
  Tile tile;
  std::string_view name;
  int pixels;
  int filters;
  bool mma;
};

inline std::int64_t pixels_of(const ConvolutionArgs& a) {
  return std::int64_t{a.n} * a.out_h * a.out_w;
}

/// Tiles of one group's filters.
inline int filter_tiles_of(const ConvolutionArgs& a, int filters) {
  return (a.filters / a.groups + filters - 1) / filters;
}

template <typename Tile>
std::int64_t tiles_of(const ConvolutionArgs& a, const TileFacts<Tile>& tile) {
  const std::int64_t rows = (pixels_of(a) + tile.pixels - 1) / tile.pixels;
  return rows * a.groups * filter_tiles_of(a, tile.filters);
}

inline bool in_range(const ConvolutionArgs& a) {
  if (!windows_in_range(a) || a.n < 0 || a.c < 1 || a.filters < 1 || a.groups < 1) return false;
  if (a.c % a.groups != 0 || a.filters % a.groups != 0) return false;
  if (a.activation_channels < 0 || a.activation_channels > a.filters) return false;
  // Products that fit 62 bits, since kernel_h, kernel_w <= 2^28 would not.
  const std::int64_t taps = std::int64_t{a.kernel_h} * a.kernel_w;
  constexpr std::int64_t kMost = kMaxItems / 2;
  return taps <= kMost && taps * (a.c / a.groups) <= kMost &&
         std::int64_t{a.out_h} * a.out_w <= kMost && pixels_of(a) <= kMost;
}

inline bool outputs_in_range(const ConvolutionArgs& a) {
  return a.y_stride >= a.filters && (a.residual == nullptr || a.residual_stride >= a.filters);
}

/// Whether a tensor's pixels start at multiples of `elements` elements.
inline bool pixels_aligned(const void* address,
                           std::int64_t stride,
                           int elements,
                           ElementType type) {
  return stride % elements == 0 &&
         aligned_to(address, static_cast<std::uintptr_t>(elements) * bytes_of(type));
}

inline ConvolutionProblem problem_of(const ConvolutionArgs& a, int tile_filters) {
  ConvolutionProblem z;
  z.args = a;
  z.pixels = static_cast<int>(pixels_of(a));
  z.group_channels = a.c / a.groups;
  z.group_filters = a.filters / a.groups;
  z.depth = a.kernel_h * a.kernel_w * z.group_channels;
  z.packed_depth = static_cast<int>(packed_depth(z.depth, a.type));
  z.filter_tiles = filter_tiles_of(a, tile_filters);
  z.activated = a.activation_channels == 0 ? a.filters : a.activation_channels;
  z.finishes_vectors =
      z.group_filters % kFinished == 0 && pixels_aligned(a.y, a.y_stride, kFinished, a.type) &&
      (a.residual == nullptr || pixels_aligned(a.residual, a.residual_stride, kFinished, a.type));
  return z;
}

/// The tiles that may(tile) allows and that are not more than twice too large for the filters and
/// pixels, best guess first: tensor cores, then what fills the device, then the largest of these or
/// the smallest of others.
template <typename Tile, typename May>
std::vector<Tile> fitting_tiles(std::span<const TileFacts<Tile>> all,
                                const ConvolutionArgs& args,
                                const May& may) {
  // Fewer tiles than this leave multiprocessors of a large device idle.
  constexpr std::int64_t kEnoughTiles = 128;
  constexpr int kSmallest = 64;
  std::vector<const TileFacts<Tile>*> tiles;
  for (const TileFacts<Tile>& tile : all) {
    const bool too_large =
        (tile.filters > kSmallest && args.filters / args.groups <= tile.filters / 2) ||
        (tile.pixels > kSmallest && pixels_of(args) <= tile.pixels / 2);
    if (!too_large && may(tile) && tiles_of(args, tile) <= kMaxItems) tiles.push_back(&tile);
  }
  const auto size = [](const TileFacts<Tile>& tile) { return tile.pixels * tile.filters; };
  std::ranges::sort(tiles, [&](const TileFacts<Tile>* a, const TileFacts<Tile>* b) {
    if (a->mma != b->mma) return a->mma;
    const bool fills_a = tiles_of(args, *a) >= kEnoughTiles;
    const bool fills_b = tiles_of(args, *b) >= kEnoughTiles;
    if (fills_a != fills_b) return fills_a;
    if (size(*a) == size(*b)) return a->filters > b->filters;
    return fills_a ? size(*a) > size(*b) : size(*a) < size(*b);
  });
  std::vector<Tile> names;
  names.reserve(tiles.size());
  for (const TileFacts<Tile>* tile : tiles) names.push_back(tile->tile);
  return names;
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
