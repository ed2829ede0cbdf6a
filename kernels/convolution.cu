#include "kernels/convolution.h"

#include <array>

#include "kernels/detail/convolution_launch.h"
#include "kernels/detail/grid.h"

namespace fovea::kernels {

namespace {

/// In the order of the enumerators.
constexpr std::array<TileFacts<ConvolutionTile>, 5> kTiles{
    {{ConvolutionTile::kSimt64x64, "simt-64x64", 64, 64, false},
     {ConvolutionTile::kSimt128x128, "simt-128x128", 128, 128, false},
     {ConvolutionTile::kMma64x64, "mma-64x64", 64, 64, true},
     {ConvolutionTile::kMma128x64, "mma-128x64", 128, 64, true},
     {ConvolutionTile::kMma128x128, "mma-128x128", 128, 128, true}}};

const TileFacts<ConvolutionTile>& facts_of(ConvolutionTile tile) {
  return kTiles.at(static_cast<std::size_t>(tile));
}

}  // namespace

std::string_view name_of(ConvolutionTile tile) {
  return facts_of(tile).name;
}

bool uses_tensor_cores(ConvolutionTile tile) {
  return facts_of(tile).mma;
}

std::vector<ConvolutionTile> convolution_tiles(const ConvolutionArgs& args) {
  if (!in_range(args)) return {};
  return fitting_tiles<ConvolutionTile>(
      kTiles, args, [&](const auto& tile) { return !(tile.mma && args.input_relu); });
}

cudaError_t convolution(const ConvolutionArgs& args, ConvolutionTile tile, cudaStream_t stream) {
  const TileFacts<ConvolutionTile>& facts = facts_of(tile);
  if (!in_range(args) || args.x_stride < args.c || !outputs_in_range(args) ||
      !aligned_to(args.weights, 16) || (facts.mma && args.input_relu) ||
      tiles_of(args, facts) > kMaxItems) {
    return cudaErrorInvalidValue;
  }
  if (args.n == 0) return cudaSuccess;
  const ConvolutionProblem problem = problem_of(args, facts.filters);
  const int chunk = static_cast<int>(16 / bytes_of(args.type));
  const bool vectors = problem.group_channels % chunk == 0 &&
                       pixels_aligned(args.x, args.x_stride, chunk, args.type);
  const auto launch = facts.mma ? launch_convolution_mma : launch_convolution_simt;
  return launch(problem, tile, vectors, static_cast<int>(tiles_of(args, facts)), stream);
}

}  // namespace fovea::kernels
