#include "kernels/dense.h"

#include "kernels/detail/activate.h"
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
template <int Width>
__global__ void __launch_bounds__(kWarps* kWarp) dense_outputs(DenseArgs a) {
  using Vector = simt::Floats<Width>;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const std::int64_t output = static_cast<std::int64_t>(blockIdx.x) * kWarps + warp;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.y) * kRows;
  if (output >= a.outputs) return;

  // Rows beyond the last are computed as the last and not stored.
  const float* x[kRows];
  SIMT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const std::int64_t row = first_row + r < a.rows ? first_row + r : a.rows - 1;
    x[r] = a.x + row * a.inputs;
  }
  const float* w = a.w + output * a.inputs;

  float sum[kRows] = {};
  for (int i = lane * Width; i < a.inputs; i += kWarp * Width) {
    const auto weight = simt::load<Vector>(w + i);
    SIMT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto value = simt::load<Vector>(x[r] + i);
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
  a.y[(first_row + lane) * a.outputs + output] = activate(a.activation, mine);
}

}  // namespace

cudaError_t dense(const DenseArgs& args, cudaStream_t stream) {
  constexpr std::int64_t kMaxRows = std::int64_t{65535} * kRows;
  if (args.rows < 0 || args.rows > kMaxRows || args.inputs < 1 || args.outputs < 1) {
    return cudaErrorInvalidValue;
  }
  if (args.rows == 0) return cudaSuccess;
  const bool vectors = args.inputs % 4 == 0 && aligned_to(args.x, 16) && aligned_to(args.w, 16);
  const dim3 grid(static_cast<unsigned>((std::int64_t{args.outputs} + kWarps - 1) / kWarps),
                  static_cast<unsigned>((args.rows + kRows - 1) / kRows));
  return simt::launch(
      vectors ? dense_outputs<4> : dense_outputs<1>, grid, dim3(kWarps * kWarp), 0, stream, args);
}

}  // namespace fovea::kernels
