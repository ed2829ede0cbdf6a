#include "kernels/dense.h"

#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/reduce.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

constexpr int kWarps = 8;

/// Rows that share one read of the weights.
constexpr int kRows = 4;

/// One warp per output and kRows rows: the weights, which are nearly all the bytes of a small
/// batch, are read once and coalesced.
template <typename T, int Width>
__global__ void __launch_bounds__(kWarps* kWarp) dense_outputs(DenseArgs a) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const std::int64_t output = static_cast<std::int64_t>(blockIdx.x) * kWarps + warp;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.y) * kRows;
  if (output >= a.outputs) return;

  // Rows beyond the last are computed as the last and not stored.
  const T* x[kRows];
  SIMT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const std::int64_t row = first_row + r < a.rows ? first_row + r : a.rows - 1;
    x[r] = static_cast<const T*>(a.x) + row * a.inputs;
  }
  const T* w = static_cast<const T*>(a.w) + output * a.inputs;

  float sum[kRows] = {};
  for (int i = lane * Width; i < a.inputs; i += kWarp * Width) {
    const auto weight = load_values<Width>(w + i);
    SIMT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto value = load_values<Width>(x[r] + i);
      SIMT_UNROLL
      for (int v = 0; v < Width; ++v) sum[r] += value.lane[v] * weight.lane[v];
    }
  }
  float mine = 0.0F;  // lane r finishes row r
  SIMT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const float total = warp_reduce<Sum>(sum[r]);
    if (lane == r) mine = total;
  }
  if (lane >= kRows || first_row + lane >= a.rows) return;
  if (a.bias != nullptr) mine += a.bias[output];
  T* y = static_cast<T*>(a.y) + (first_row + lane) * a.outputs + output;
  *y = from_float<T>(activate(a.activation, mine));
}

template <typename T>
cudaError_t launch_dense(const DenseArgs& a, cudaStream_t stream) {
  const bool vectors = a.inputs % kWidest<T> == 0 && aligned_to(a.x, 16) && aligned_to(a.w, 16);
  const dim3 grid(static_cast<unsigned>((std::int64_t{a.outputs} + kWarps - 1) / kWarps),
                  static_cast<unsigned>((a.rows + kRows - 1) / kRows));
  return simt::launch(vectors ? dense_outputs<T, kWidest<T>> : dense_outputs<T, 1>,
                      grid,
                      dim3(kWarps * kWarp),
                      0,
                      stream,
                      a);
}

}  // namespace

cudaError_t dense(const DenseArgs& args, cudaStream_t stream) {
  constexpr std::int64_t kMaxRows = std::int64_t{65535} * kRows;
  if (args.rows < 0 || args.rows > kMaxRows || args.inputs < 1 || args.outputs < 1) {
    return cudaErrorInvalidValue;
  }
  if (args.rows == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_dense<T>(args, stream);
  });
}

}  // namespace fovea::kernels
