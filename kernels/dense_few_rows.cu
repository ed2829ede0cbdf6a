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

/// Adds the products of the row x with the weights of every output, Width elements of each.
template <int Width, typename T, int Rows>
__device__ __forceinline__ void add_products(const Values<Width>& x,
                                             const Packed<T, Width> (&weights)[kOutputs],
                                             int row,
                                             float (&sums)[kOutputs][Rows]) {
  SIMT_UNROLL
  for (int o = 0; o < kOutputs; ++o) {
    SIMT_UNROLL
    for (int e = 0; e < Width; ++e) sums[o][row] += x.lane[e] * to_float(weights[o].lane[e]);
  }
}

/// Finishes and stores the sum of one row and output, of which every warp has a part.
template <typename T>
__device__ __forceinline__ void store_output(const DenseArgs& a,
                                             const float (&parts)[kWarps],
                                             int row,
                                             int output) {
  if (output >= a.outputs || row >= a.rows) return;
  float value = 0.0F;
  SIMT_UNROLL
  for (int w = 0; w < kWarps; ++w) value += parts[w];
  if (a.bias != nullptr) value += a.bias[output];
  static_cast<T*>(a.y)[static_cast<std::int64_t>(row) * a.outputs + output] =
      from_float<T>(activate(a.activation, value));
}

/// One block per kOutputs outputs and all rows, whose number Rows is at least: every thread has 16
/// bytes of each weight row in flight, and a block per few outputs is enough blocks to fill a
/// device.
template <typename T, int Rows>
__global__ void __launch_bounds__(kBlockThreads) multiply_few_rows(DenseArgs a) {
  constexpr int kWidth = kWidest<T>;
  SIMT_SHARED(partial, float[kOutputs * Rows][kWarps]);
  const int first = static_cast<int>(blockIdx.x) * kOutputs;
  const int thread = static_cast<int>(threadIdx.x);

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
  for (std::int64_t i = std::int64_t{thread} * kWidth; i < a.inputs;
       i += std::int64_t{kBlockThreads} * kWidth) {
    Packed<T, kWidth> weights[kOutputs];
    SIMT_UNROLL
    for (int o = 0; o < kOutputs; ++o) {
      weights[o] = simt::load<Packed<T, kWidth>>(weights_of(o) + i);
    }
    SIMT_UNROLL
    for (int r = 0; r < Rows; ++r) {
      add_products(load_values<kWidth>(row_of(r) + i), weights, r, sums);
    }
  }

  SIMT_UNROLL
  for (int s = 0; s < kOutputs * Rows; ++s) {
    const float total = warp_reduce<Sum>(sums[s / Rows][s % Rows]);
    if (thread % kWarp == 0) partial[s][thread / kWarp] = total;
  }
  __syncthreads();
  if (thread >= kOutputs * Rows) return;
  store_output<T>(a, partial[thread], thread % Rows, first + thread / Rows);
}

template <typename T>
cudaError_t launch_few_rows(const DenseArgs& a, cudaStream_t stream) {
  const auto kernel = a.rows == 1   ? multiply_few_rows<T, 1>
                      : a.rows == 2 ? multiply_few_rows<T, 2>
                      : a.rows <= 4 ? multiply_few_rows<T, 4>
                                    : multiply_few_rows<T, kMostFewRows>;
  const std::int64_t blocks = (std::int64_t{a.outputs} + kOutputs - 1) / kOutputs;
  return simt::launch(
      kernel, dim3(static_cast<unsigned>(blocks)), dim3(kBlockThreads), 0, stream, a);
}

}  // namespace

cudaError_t dense_few_rows(const DenseArgs& args, cudaStream_t stream) {
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
