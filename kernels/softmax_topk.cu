#include "kernels/softmax_topk.h"

#include <algorithm>

#include "kernels/detail/grid.h"
#include "kernels/detail/order_key.h"
#include "kernels/detail/softmax_row.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

constexpr int kBlockWarps = kBlockThreads / kWarp;

/// One block per row.
__global__ void __launch_bounds__(kBlockThreads) softmax_rows(const float* x, float* y, int cols) {
  const auto start = static_cast<std::int64_t>(blockIdx.x) * cols;
  const SoftmaxRow row = softmax_row<kBlockWarps>(x + start, cols);
  for (std::int64_t c = static_cast<int>(threadIdx.x); c < cols; c += kBlockThreads) {
    y[start + c] = probability(x[start + c], row);
  }
}

/// The largest k that the kernel with the row in registers takes: one list entry per lane.
constexpr int kMaxFastK = kWarp;

/// Writes the k best keys of a warp to `list`, best first, and drops them from `keys`, of which
/// `best` is this thread's largest.
template <int PerThread>
__device__ __forceinline__ void draw_best(OrderKey (&keys)[PerThread],
                                          OrderKey best,
                                          int k,
                                          OrderKey* list) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int rank = 0; rank < k; ++rank) {
    const OrderKey drawn = warp_reduce<Max>(best);
    if (lane == rank) list[rank] = drawn;
    if (best != drawn || drawn == 0) continue;
    best = 0;
    SIMT_UNROLL
    for (int i = 0; i < PerThread; ++i) {
      if (keys[i] == drawn) keys[i] = 0;
      best = Max::fold(best, keys[i]);
    }
  }
}

/// One block of Warps warps per row, PerThread keys of the row in every thread's registers. Every
/// warp draws its own k best; warp 0 then merges the lists.
template <bool WithSoftmax, int Warps, int PerThread>
__global__ void __launch_bounds__(Warps* kWarp) top_k_in_registers(TopKArgs a) {
  SIMT_SHARED(lists, OrderKey[Warps][kMaxFastK]);
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % kWarp;
  const int warp = thread / kWarp;
  const int k = static_cast<int>(a.k);
  const float* x = a.x + static_cast<std::int64_t>(blockIdx.x) * a.cols;

  OrderKey keys[PerThread];
  OrderKey best = 0;
  SIMT_UNROLL
  for (int i = 0; i < PerThread; ++i) {
    const int c = i * Warps * kWarp + thread;
    keys[i] = c < a.cols ? order_key(x[c], static_cast<std::uint32_t>(c)) : 0;
    best = Max::fold(best, keys[i]);
  }
  draw_best(keys, best, k, lists[warp]);
  SoftmaxRow row{};
  if constexpr (WithSoftmax) row = softmax_row<Warps>(x, a.cols);
  __syncthreads();
  if (warp != 0) return;

  int head = 0;  // of the list of this lane's warp
  for (int rank = 0; rank < k; ++rank) {
    const OrderKey candidate = lane < Warps && head < k ? lists[lane][head] : 0;
    const OrderKey drawn = warp_reduce<Max>(candidate);
    if (candidate == drawn) ++head;
    if (lane != 0) continue;
    const std::int64_t out = static_cast<std::int64_t>(blockIdx.x) * k + rank;
    const float value = x[index_of(drawn)];
    a.values[out] = WithSoftmax ? probability(value, row) : value;
    a.indices[out] = static_cast<std::int32_t>(index_of(drawn));
  }
}

/// One thread per element: its rank is the number of better elements of the row, and ranks below k
/// are written. A row takes `row_blocks` blocks.
template <bool WithSoftmax>
__global__ void __launch_bounds__(kBlockThreads) top_k_by_rank(TopKArgs a, int row_blocks) {
  SIMT_SHARED(keys, OrderKey[kBlockThreads]);
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t row_index = static_cast<int>(blockIdx.x) / row_blocks;
  const std::int64_t first = static_cast<int>(blockIdx.x) % row_blocks;
  const std::int64_t mine = first * kBlockThreads + thread;
  const float* x = a.x + row_index * a.cols;
  const OrderKey key = mine < a.cols ? order_key(x[mine], static_cast<std::uint32_t>(mine)) : 0;

  std::int64_t rank = 0;
  for (std::int64_t begin = 0; begin < a.cols; begin += kBlockThreads) {
    const std::int64_t c = begin + thread;
    __syncthreads();
    keys[thread] = c < a.cols ? order_key(x[c], static_cast<std::uint32_t>(c)) : 0;
    __syncthreads();
    for (int i = 0; i < kBlockThreads; ++i) rank += keys[i] > key ? 1 : 0;
  }
  SoftmaxRow row{};
  if constexpr (WithSoftmax) row = softmax_row<kBlockWarps>(x, a.cols);
  if (mine >= a.cols || rank >= a.k) return;
  a.values[row_index * a.k + rank] = WithSoftmax ? probability(x[mine], row) : x[mine];
  a.indices[row_index * a.k + rank] = static_cast<std::int32_t>(mine);
}

template <bool WithSoftmax>
cudaError_t launch_top_k(const TopKArgs& a, cudaStream_t stream) {
  if (a.rows < 0 || a.rows > kMaxItems || a.cols < 1 || a.cols > kMaxItems || a.k < 1 ||
      a.k > a.cols) {
    return cudaErrorInvalidValue;
  }
  if (a.rows == 0) return cudaSuccess;
  const dim3 rows(static_cast<unsigned>(a.rows));
  if (a.k <= kMaxFastK && a.cols <= 1024) {
    return simt::launch(top_k_in_registers<WithSoftmax, 4, 8>, rows, dim3(4 * kWarp), 0, stream, a);
  }
  if (a.k <= kMaxFastK && a.cols <= 8192) {
    return simt::launch(
        top_k_in_registers<WithSoftmax, 16, 16>, rows, dim3(16 * kWarp), 0, stream, a);
  }
  const std::int64_t row_blocks = (a.cols + kBlockThreads - 1) / kBlockThreads;
  if (a.rows > kMaxItems / row_blocks) return cudaErrorInvalidValue;
  return simt::launch(top_k_by_rank<WithSoftmax>,
                      dim3(static_cast<unsigned>(a.rows * row_blocks)),
                      dim3(kBlockThreads),
                      0,
                      stream,
                      a,
                      static_cast<int>(row_blocks));
}

}  // namespace

cudaError_t softmax(
    const float* x, float* y, std::int64_t rows, std::int64_t cols, cudaStream_t stream) {
  if (rows < 0 || rows > kMaxItems || cols < 1 || cols > kMaxItems) return cudaErrorInvalidValue;
  if (rows == 0) return cudaSuccess;
  return simt::launch(softmax_rows,
                      dim3(static_cast<unsigned>(rows)),
                      dim3(kBlockThreads),
                      0,
                      stream,
                      x,
                      y,
                      static_cast<int>(cols));
}

cudaError_t top_k(const TopKArgs& args, cudaStream_t stream) {
  return launch_top_k<false>(args, stream);
}

cudaError_t softmax_top_k(const TopKArgs& args, cudaStream_t stream) {
  return launch_top_k<true>(args, stream);
}

}  // namespace fovea::kernels
