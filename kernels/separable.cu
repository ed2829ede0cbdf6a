#include "kernels/separable.h"

#include <array>

#include "kernels/detail/convolution_launch.h"
#include "kernels/detail/depthwise_pixels.h"
#include "kernels/detail/vectors.h"

namespace fovea::kernels {

namespace {

/// In the order of the enumerators.
constexpr std::array<TileFacts<SeparableTile>, 5> kTiles{
    {{SeparableTile::kSimt64x64, "simt-64x64", 64, 64, false},
     {SeparableTile::kSimt128x128, "simt-128x128", 128, 128, false},
     {SeparableTile::kMma64x64, "mma-64x64", 64, 64, true},
     {SeparableTile::kMma64x128, "mma-64x128", 64, 128, true},
     {SeparableTile::kMma64x256, "mma-64x256", 64, 256, true}}};

const TileFacts<SeparableTile>& facts_of(SeparableTile tile) {
  return kTiles.at(static_cast<std::size_t>(tile));
}

bool is_pointwise(const ConvolutionArgs& a) {
  return a.kernel_h == 1 && a.kernel_w == 1 && a.stride_h == 1 && a.stride_w == 1 &&
         a.pad_top == 0 && a.pad_left == 0 && a.groups == 1 && !a.input_relu && a.h == a.out_h &&
         a.w == a.out_w;
}

/// Whether the second part reads what the first one computes.
bool follows(const ConvolutionArgs& pointwise, const DepthwiseArgs& depthwise) {
  return pointwise.type == depthwise.type && pointwise.n == depthwise.n &&
         pointwise.h == depthwise.out_h && pointwise.w == depthwise.out_w &&
         pointwise.c == depthwise.c;
}

/// Everything but addresses and strides. What lies between the parts is nowhere in memory, so its
/// elements are not counted.
bool is_known(const SeparableArgs& args) {
  const DepthwiseArgs& depthwise = args.depthwise;
  return is_described(depthwise) && depthwise.multiplier == 1 && depthwise.residual == nullptr &&
         depthwise.kernel_h == kDepthwiseKernel && depthwise.kernel_w == kDepthwiseKernel &&
         in_range(args.pointwise) && is_pointwise(args.pointwise) &&
         follows(args.pointwise, depthwise);
}

}  // namespace

std::string_view name_of(SeparableTile tile) {
  return facts_of(tile).name;
}

bool uses_tensor_cores(SeparableTile tile) {
  return facts_of(tile).mma;
}

std::vector<SeparableTile> separable_tiles(const SeparableArgs& args) {
  constexpr int kMostTimes = 2;
  if (!is_known(args)) return {};
  return fitting_tiles<SeparableTile>(kTiles, args.pointwise, [&](const auto& tile) {
    return filter_tiles_of(args.pointwise, tile.filters) <= kMostTimes;
  });
}

bool separable_reads(const SeparableArgs& args) {
  const DepthwiseArgs& a = args.depthwise;
  return in_vectors(a.type, a.c, {{a.x, a.x_stride}, {a.weights, a.c}}) &&
         aligned_to(args.pointwise.weights, 16);
}

cudaError_t separable(const SeparableArgs& args, SeparableTile tile, cudaStream_t stream) {
  const TileFacts<SeparableTile>& facts = facts_of(tile);
  if (!is_known(args) || args.depthwise.x_stride < args.depthwise.c ||
      !outputs_in_range(args.pointwise) || !separable_reads(args) ||
      tiles_of(args.pointwise, facts) > kMaxItems) {
    return cudaErrorInvalidValue;
  }
  if (args.pointwise.n == 0) return cudaSuccess;
  const SeparableProblem problem{problem_of(args.pointwise, facts.filters), args.depthwise};
  const auto launch = facts.mma ? launch_separable_mma : launch_separable_simt;
  return launch(problem, tile, static_cast<int>(tiles_of(args.pointwise, facts)), stream);
}

}  // namespace fovea::kernels
