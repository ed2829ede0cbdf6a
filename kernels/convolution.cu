#include "kernels/convolution.h"

#include <algorithm>
#include <array>

#include "kernels/detail/convolution_problem.h"
#include "kernels/detail/grid.h"

namespace fovea::kernels {

namespace {

struct TileFacts {
  ConvolutionTile tile;
  std::string_view name;
  int pixels;
  int filters;
  bool mma;
};

/// In the order of the enumerators.
constexpr std::array<TileFacts, 5> kTiles{
    {{ConvolutionTile::kSimt64x64, "simt-64x64", 64, 64, false},
     {ConvolutionTile::kSimt128x128, "simt-128x128", 128, 128, false},
     {ConvolutionTile::kMma64x64, "mma-64x64", 64, 64, true},
     {ConvolutionTile::kMma128x64, "mma-128x64", 128, 64, true},
     {ConvolutionTile::kMma128x128, "mma-128x128", 128, 128, true}}};

const TileFacts& facts_of(ConvolutionTile tile) {
  return kTiles.at(static_cast<std::size_t>(tile));
}

std::int64_t pixels_of(const ConvolutionArgs& a) {
  return std::int64_t{a.n} * a.out_h * a.out_w;
}

std::int64_t tiles_of(const ConvolutionArgs& a, const TileFacts& tile) {
  const std::int64_t rows = (pixels_of(a) + tile.pixels - 1) / tile.pixels;
  return rows * a.groups * ((a.filters / a.groups + tile.filters - 1) / tile.filters);
}

/// Rows and columns of windows fit an int with room to spare, see window_of().
bool window_in_range(int size, int out, int kernel, int stride, int dilation, int pad) {
  constexpr std::int64_t kMost = 1 << 28;
  return size >= 1 && out >= 1 && kernel >= 1 && stride >= 1 && dilation >= 1 && pad >= 0 &&
         size <= kMost && pad <= kMost && std::int64_t{out} * stride <= kMost &&
         std::int64_t{kernel} * dilation <= kMost;
}

bool in_range(const ConvolutionArgs& a) {
  if (!window_in_range(a.h, a.out_h, a.kernel_h, a.stride_h, a.dilation_h, a.pad_top)) return false;
  if (!window_in_range(a.w, a.out_w, a.kernel_w, a.stride_w, a.dilation_w, a.pad_left)) {
    return false;
  }
  if (a.n < 0 || a.c < 1 || a.filters < 1 || a.groups < 1) return false;
  if (a.c % a.groups != 0 || a.filters % a.groups != 0) return false;
  if (a.activation_channels < 0 || a.activation_channels > a.filters) return false;
  // Products that fit 62 bits, since kernel_h, kernel_w <= 2^28 would not.
  const std::int64_t taps = std::int64_t{a.kernel_h} * a.kernel_w;
  constexpr std::int64_t kMost = kMaxItems / 2;
  return taps <= kMost && taps * (a.c / a.groups) <= kMost &&
         std::int64_t{a.out_h} * a.out_w <= kMost && pixels_of(a) <= kMost;
}

bool strides_in_range(const ConvolutionArgs& a) {
  return a.x_stride >= a.c && a.y_stride >= a.filters &&
         (a.residual == nullptr || a.residual_stride >= a.filters);
}

/// Whether a tensor's pixels start at multiples of `elements` elements.
bool pixels_aligned(const void* address, std::int64_t stride, int elements, ElementType type) {
  return stride % elements == 0 &&
         aligned_to(address, static_cast<std::uintptr_t>(elements) * bytes_of(type));
}

ConvolutionProblem problem_of(const ConvolutionArgs& a, const TileFacts& tile) {
  ConvolutionProblem z;
  z.args = a;
  z.pixels = static_cast<int>(pixels_of(a));
  z.group_channels = a.c / a.groups;
  z.group_filters = a.filters / a.groups;
  z.depth = a.kernel_h * a.kernel_w * z.group_channels;
  z.packed_depth = static_cast<int>(packed_depth(z.depth, a.type));
  z.filter_tiles = (z.group_filters + tile.filters - 1) / tile.filters;
  z.activated = a.activation_channels == 0 ? a.filters : a.activation_channels;
  z.finishes_vectors =
      z.group_filters % kFinished == 0 && pixels_aligned(a.y, a.y_stride, kFinished, a.type) &&
      (a.residual == nullptr || pixels_aligned(a.residual, a.residual_stride, kFinished, a.type));
  return z;
}

}  // namespace

std::string_view name_of(ConvolutionTile tile) {
  return facts_of(tile).name;
}

bool uses_tensor_cores(ConvolutionTile tile) {
  return facts_of(tile).mma;
}

std::vector<ConvolutionTile> convolution_tiles(const ConvolutionArgs& args) {
  // Fewer tiles than this leave multiprocessors of a large device idle.
  constexpr std::int64_t kEnoughTiles = 128;
  if (!in_range(args)) return {};
  std::vector<const TileFacts*> tiles;
  for (const TileFacts& tile : kTiles) {
    constexpr int kSmallest = 64;
    const bool too_large =
        (tile.filters > kSmallest && args.filters / args.groups <= tile.filters / 2) ||
        (tile.pixels > kSmallest && pixels_of(args) <= tile.pixels / 2);
    if (too_large || (tile.mma && args.input_relu) || tiles_of(args, tile) > kMaxItems) continue;
    tiles.push_back(&tile);
  }
  const auto size = [](const TileFacts& tile) { return tile.pixels * tile.filters; };
  std::ranges::sort(tiles, [&](const TileFacts* a, const TileFacts* b) {
    if (a->mma != b->mma) return a->mma;
    const bool fills_a = tiles_of(args, *a) >= kEnoughTiles;
    const bool fills_b = tiles_of(args, *b) >= kEnoughTiles;
    if (fills_a != fills_b) return fills_a;
    return fills_a ? size(*a) > size(*b) : size(*a) < size(*b);
  });
  std::vector<ConvolutionTile> names;
  names.reserve(tiles.size());
  for (const TileFacts* tile : tiles) names.push_back(tile->tile);
  return names;
}

cudaError_t convolution(const ConvolutionArgs& args, ConvolutionTile tile, cudaStream_t stream) {
  const TileFacts& facts = facts_of(tile);
  if (!in_range(args) || !strides_in_range(args) || !aligned_to(args.weights, 16) ||
      (facts.mma && args.input_relu) || tiles_of(args, facts) > kMaxItems) {
    return cudaErrorInvalidValue;
  }
  if (args.n == 0) return cudaSuccess;
  const ConvolutionProblem problem = problem_of(args, facts);
  const int chunk = static_cast<int>(16 / bytes_of(args.type));
  const bool vectors = problem.group_channels % chunk == 0 &&
                       pixels_aligned(args.x, args.x_stride, chunk, args.type);
  const auto launch = facts.mma ? launch_convolution_mma : launch_convolution_simt;
  return launch(problem, tile, vectors, static_cast<int>(tiles_of(args, facts)), stream);
}

}  // namespace fovea::kernels
