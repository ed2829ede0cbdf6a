#include "kernels/epilogue.h"

#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// One thread per Width channels of a pixel.
template <typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) apply_epilogue(EpilogueArgs a,
                                                                std::int64_t items) {
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int groups = a.channels / Width;
  const int c = item % groups * Width;
  const std::int64_t pixel = item / groups;

  auto value = load_values<Width>(static_cast<const T*>(a.x) + pixel * a.x_stride + c);
  if (a.residual != nullptr) {
    const T* residuals = static_cast<const T*>(a.residual) + pixel * a.residual_stride + c;
    const auto residual = load_values<Width>(residuals);
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) value.lane[i] += residual.lane[i];
  }
  if (a.bias != nullptr) {
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) value.lane[i] += a.bias[a.bias_channels == 1 ? 0 : c + i];
  }
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) value.lane[i] = activate(a.activation, value.lane[i]);
  store_values<Width>(static_cast<T*>(a.y) + pixel * a.y_stride + c, value);
}

bool in_range(const EpilogueArgs& a) {
  return a.pixels >= 0 && a.channels >= 1 && a.pixels <= kMaxItems / a.channels &&
         a.x_stride >= a.channels && a.y_stride >= a.channels &&
         (a.residual == nullptr || a.residual_stride >= a.channels) &&
         (a.bias == nullptr || a.bias_channels == a.channels || a.bias_channels == 1);
}

template <typename T>
cudaError_t launch_epilogue(const EpilogueArgs& a, cudaStream_t stream) {
  const bool vectors = in_vectors(
      a.type, a.channels, {{a.x, a.x_stride}, {a.residual, a.residual_stride}, {a.y, a.y_stride}});
  const std::int64_t items = a.pixels * a.channels / (vectors ? kWidest<T> : 1);
  return launch_items(
      vectors ? apply_epilogue<T, kWidest<T>> : apply_epilogue<T, 1>, items, stream, a, items);
}

}  // namespace

cudaError_t epilogue(const EpilogueArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.pixels == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_epilogue<T>(args, stream);
  });
}

}  // namespace fovea::kernels
