#include "kernels/rescale.h"

#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// One thread per Width channels of a pixel.
template <typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) rescale_pixels(RescaleArgs a, std::int64_t items) {
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int groups = a.channels / Width;
  const int c = item % groups * Width;
  const std::int64_t pixel = item / groups;

  auto value = load_values<Width>(static_cast<const T*>(a.x) + pixel * a.x_stride + c);
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) value.lane[i] = fmaf(value.lane[i], a.scale, a.offset);
  store_values<Width>(static_cast<T*>(a.y) + pixel * a.y_stride + c, value);
}

bool in_range(const RescaleArgs& a) {
  return a.pixels >= 0 && a.channels >= 1 && a.pixels <= kMaxItems / a.channels &&
         a.x_stride >= a.channels && a.y_stride >= a.channels;
}

}  // namespace

cudaError_t rescale(const RescaleArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.pixels == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    const bool vectors =
        in_vectors(args.type, args.channels, {{args.x, args.x_stride}, {args.y, args.y_stride}});
    const std::int64_t items = args.pixels * args.channels / (vectors ? kWidest<T> : 1);
    return launch_items(
        vectors ? rescale_pixels<T, kWidest<T>> : rescale_pixels<T, 1>, items, stream, args, items);
  });
}

}  // namespace fovea::kernels
