#include "kernels/dense_few_rows.h"

#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/reduce.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

constexpr int kWarps = kBlockThreads / kWarp;

/// Outputs of a block. They share what is read of x, which comes from the second-level cache and
/// would otherwise be as many bytes as the weights for every row.
constexpr int kOutputs = 4;

/// One block per kOutputs outputs and all rows, whose number Rows is at least: every thread has 16
/// bytes of each weight row in flight, and a block per few outputs is enough blocks to fill a
/// device.
template <typename T, int Rows>
__global__ void __launch_bounds__(kBlockThreads) multiply_few_rows(DenseFewRowsArgs a) {
  constexpr int kWidth = kWidest<T>;
  SIMT_SHARED(partial, float[kOutputs * Rows][kWarps]);
  const int first = static_cast<int>(blockIdx.x) * kOutputs;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;

  // Rows and outputs beyond the last are computed as the last and not stored.
  const auto row_of = [&](int r) {
    const std::int64_t row = r < a.rows ? r : a.rows - 1;
    return static_cast<const T*>(a.x) + row * a.inputs;
  };
  const auto weights_of = [&](int o) {
    const std::int64_t output = first + o < a.outputs ? first + o : a.outputs - 1;
    return static_cast<const T*>(a.w) + output * a.inputs;
  };

  float sums[kOutputs][Rows] = {};
  for (std::int64_t i = static_cast<int>(threadIdx.x) * kWidth; i < a.inputs;
       i += std::int64_t{kBlockThreads} * kWidth) {
    Packed<T, kWidth> weights[kOutputs];
    SIMT_UNROLL
    for (int o = 0; o < kOutputs; ++o) {
      weights[o] = simt::load<Packed<T, kWidth>>(weights_of(o) + i);
    }
    SIMT_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const auto x = load_values<kWidth>(row_of(r) + i);
      SIMT_UNROLL
      for (int o = 0; o < kOutputs; ++o) {
        SIMT_UNROLL
        for (int e = 0; e < kWidth; ++e) sums[o][r] += x.lane[e] * to_float(weights[o].lane[e]);
      }
    }
  }

  SIMT_UNROLL
  for (int s = 0; s < kOutputs * Rows; ++s) {
    const float total = warp_reduce<Sum>(sums[s / Rows][s % Rows]);
    if (lane == 0) partial[s][warp] = total;
  }
  __syncthreads();
  const int mine = static_cast<int>(threadIdx.x);
  if (mine >= kOutputs * Rows) return;
  const int output = first + mine / Rows;
  const int row = mine % Rows;
  if (output >= a.outputs || row >= a.rows) return;
  float value = 0.0F;
  SIMT_UNROLL
  for (int w = 0; w < kWarps; ++w) value += partial[mine][w];
  if (a.bias != nullptr) value += a.bias[output];
  static_cast<T*>(a.y)[static_cast<std::int64_t>(row) * a.outputs + output] =
      from_float<T>(activate(a.activation, value));
}

template <typename T>
cudaError_t launch_few_rows(const DenseFewRowsArgs& a, cudaStream_t stream) {
  const auto kernel = a.rows == 1   ? multiply_few_rows<T, 1>
                      : a.rows == 2 ? multiply_few_rows<T, 2>
                      : a.rows <= 4 ? multiply_few_rows<T, 4>
                                    : multiply_few_rows<T, kMostFewRows>;
  const std::int64_t blocks = (std::int64_t{a.outputs} + kOutputs - 1) / kOutputs;
  return simt::launch(
      kernel, dim3(static_cast<unsigned>(blocks)), dim3(kBlockThreads), 0, stream, a);
}

}  // namespace

cudaError_t dense_few_rows(const DenseFewRowsArgs& args, cudaStream_t stream) {
  const std::int64_t row_bytes = args.inputs * static_cast<std::int64_t>(bytes_of(args.type));
  if (args.rows < 0 || args.rows > kMostFewRows || args.inputs < 1 || args.outputs < 1 ||
      row_bytes % 16 != 0 || !aligned_to(args.x, 16) || !aligned_to(args.w, 16)) {
    return cudaErrorInvalidValue;
  }
  if (args.rows == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_few_rows<T>(args, stream);
  });
}

}  // namespace fovea::kernels
