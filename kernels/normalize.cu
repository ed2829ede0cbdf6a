#include "kernels/normalize.h"

#include "kernels/detail/element.h"
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
  void* y;
  std::int64_t pixels;
  int channels;
  int out_channels;
  float divisor;
  Channel channel[3];
};

/// One thread per pixel, which it writes by Width channels at once: 1, or enough for all channels
/// of a picture. Not fast mathematics: the intrinsics keep -use_fast_math and contraction away from
/// values that are compared bit for bit.
template <typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) normalize_pixels(Parameters p) {
  const std::int64_t pixel = global_thread();
  if (pixel >= p.pixels) return;
  const std::uint8_t* x = p.x + pixel * p.channels;
  T* y = static_cast<T*>(p.y) + pixel * p.out_channels;
  Values<Width == 1 ? 3 : Width> value{};
  SIMT_UNROLL
  for (int c = 0; c < 3; ++c) {
    if (c >= p.channels) break;
    const Channel& channel = p.channel[c];
    const float byte = static_cast<float>(x[channel.source]);
    const float centred = __fsub_rn(__fdiv_rn(byte, p.divisor), channel.mean);
    value.lane[c] = __fdiv_rn(centred, channel.scale);
  }
  if constexpr (Width == 1) {
    SIMT_UNROLL
    for (int c = 0; c < 3; ++c) {
      if (c < p.channels) y[c] = from_float<T>(value.lane[c]);
    }
    for (int c = p.channels; c < p.out_channels; ++c) y[c] = from_float<T>(0.0F);
  } else {
    store_values<Width>(y, value);
    for (int c = Width; c < p.out_channels; c += Width) store_values<Width>(y + c, Values<Width>{});
  }
}

template <typename T>
cudaError_t launch_normalize(const Parameters& p, cudaStream_t stream) {
  const bool vectors = p.out_channels % kWidest<T> == 0 && aligned_to(p.y, 16);
  return simt::launch(vectors ? normalize_pixels<T, kWidest<T>> : normalize_pixels<T, 1>,
                      blocks_for(p.pixels),
                      dim3(kBlockThreads),
                      0,
                      stream,
                      p);
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
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_normalize<T>(parameters, stream);
  });
}

}  // namespace fovea::kernels
