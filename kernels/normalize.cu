#include "kernels/normalize.h"

#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// What one channel of a pixel needs.
struct Channel {
  int source;
  float mean;
  float scale;
};

struct Parameters {
  const std::uint8_t* x;
  float* y;
  std::int64_t pixels;
  int channels;
  int out_channels;
  float divisor;
  Channel channel[3];
};

/// One thread per pixel. Not fast mathematics: the intrinsics keep -use_fast_math and contraction
/// away from values that are compared bit for bit.
__global__ void __launch_bounds__(kBlockThreads) normalize_pixels(Parameters p) {
  const std::int64_t pixel = global_thread();
  if (pixel >= p.pixels) return;
  const std::uint8_t* x = p.x + pixel * p.channels;
  float* y = p.y + pixel * p.out_channels;
  SIMT_UNROLL
  for (int c = 0; c < 3; ++c) {
    if (c >= p.channels) break;
    const Channel& channel = p.channel[c];
    const float byte = static_cast<float>(x[channel.source]);
    const float centred = __fsub_rn(__fdiv_rn(byte, p.divisor), channel.mean);
    y[c] = __fdiv_rn(centred, channel.scale);
  }
  for (int c = p.channels; c < p.out_channels; ++c) y[c] = 0.0F;
}

}  // namespace

cudaError_t normalize(const NormalizeArgs& args, cudaStream_t stream) {
  if (args.pixels < 0 || args.pixels > kMaxItems || (args.channels != 1 && args.channels != 3) ||
      args.out_channels < args.channels) {
    return cudaErrorInvalidValue;
  }
  if (args.pixels == 0) return cudaSuccess;

  Parameters parameters{
      args.x, args.y, args.pixels, args.channels, args.out_channels, args.divisor, {}};
  for (int c = 0; c < args.channels; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const bool swapped = args.swap_red_blue && args.channels == 3;
    parameters.channel[c] = {swapped ? 2 - c : c, args.mean[i], args.scale[i]};
  }
  return simt::launch(
      normalize_pixels, blocks_for(args.pixels), dim3(kBlockThreads), 0, stream, parameters);
}

}  // namespace fovea::kernels
