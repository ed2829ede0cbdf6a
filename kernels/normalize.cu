#include "kernels/normalize.h"

#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/normalize_pixel.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// One thread per pixel.
template <typename T, int Channels>
__global__ void __launch_bounds__(kBlockThreads) normalize_pixels(const std::uint8_t* x,
                                                                  T* y,
                                                                  std::int64_t pixels,
                                                                  PixelNormalization p) {
  const std::int64_t pixel = global_thread();
  if (pixel >= pixels) return;
  std::uint8_t bytes[Channels];
  SIMT_UNROLL
  for (int c = 0; c < Channels; ++c) bytes[c] = x[pixel * Channels + c];
  store_normalized(bytes, p, y + pixel * p.out_channels);
}

}  // namespace

cudaError_t normalize(const NormalizeArgs& args, cudaStream_t stream) {
  if (args.pixels < 0 || args.pixels > kMaxItems || (args.channels != 1 && args.channels != 3) ||
      args.out_channels < args.channels) {
    return cudaErrorInvalidValue;
  }
  if (args.pixels == 0) return cudaSuccess;

  const PixelNormalization common = pixel_normalization(args.channels,
                                                        args.y,
                                                        args.type,
                                                        args.out_channels,
                                                        args.swap_red_blue,
                                                        args.divisor,
                                                        args.mean,
                                                        args.scale);
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_items(args.channels == 1 ? normalize_pixels<T, 1> : normalize_pixels<T, 3>,
                        args.pixels,
                        stream,
                        args.x,
                        static_cast<T*>(args.y),
                        args.pixels,
                        common);
  });
}

}  // namespace fovea::kernels
