#include "kernels/epilogue.h"

#include "kernels/detail/activate.h"
#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// One thread per Width channels of a pixel.
template <int Width>
__global__ void __launch_bounds__(kBlockThreads) apply_epilogue(EpilogueArgs a,
                                                                std::int64_t items) {
  using Vector = simt::Floats<Width>;
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int groups = a.channels / Width;
  const int c = item % groups * Width;
  const std::int64_t pixel = item / groups;

  auto value = simt::load<Vector>(a.x + pixel * a.x_stride + c);
  if (a.residual != nullptr) {
    const auto residual = simt::load<Vector>(a.residual + pixel * a.residual_stride + c);
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) value.lane[i] += residual.lane[i];
  }
  if (a.bias != nullptr) {
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) value.lane[i] += a.bias[a.bias_channels == 1 ? 0 : c + i];
  }
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) value.lane[i] = activate(a.activation, value.lane[i]);
  simt::store(a.y + pixel * a.y_stride + c, value);
}

bool in_range(const EpilogueArgs& a) {
  return a.pixels >= 0 && a.channels >= 1 && a.pixels <= kMaxItems / a.channels &&
         a.x_stride >= a.channels && a.y_stride >= a.channels &&
         (a.residual == nullptr || a.residual_stride >= a.channels) &&
         (a.bias == nullptr || a.bias_channels == a.channels || a.bias_channels == 1);
}

bool takes_vectors(const EpilogueArgs& a) {
  const bool residual =
      a.residual == nullptr || (a.residual_stride % 4 == 0 && aligned_to(a.residual, 16));
  return residual && a.channels % 4 == 0 && a.x_stride % 4 == 0 && a.y_stride % 4 == 0 &&
         aligned_to(a.x, 16) && aligned_to(a.y, 16);
}

}  // namespace

cudaError_t epilogue(const EpilogueArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.pixels == 0) return cudaSuccess;
  const bool vectors = takes_vectors(args);
  const std::int64_t items = args.pixels * args.channels / (vectors ? 4 : 1);
  return simt::launch(vectors ? apply_epilogue<4> : apply_epilogue<1>,
                      blocks_for(items),
                      dim3(kBlockThreads),
                      0,
                      stream,
                      args,
                      items);
}

}  // namespace fovea::kernels
