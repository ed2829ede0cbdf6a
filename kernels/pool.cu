#include "kernels/pool.h"

#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

struct Largest {
  static constexpr bool kIsMean = false;

  __device__ __forceinline__ static float start() { return -INFINITY; }

  __device__ __forceinline__ static float fold(float best, float x) {
    return x > best || x != x ? x : best;
  }
};

struct Total {
  static constexpr bool kIsMean = true;

  __device__ __forceinline__ static float start() { return 0.0F; }

  __device__ __forceinline__ static float fold(float sum, float x) { return sum + x; }
};

/// The part of a window that lies inside x: rows or columns [begin, end).
struct Range {
  int begin;
  int end;
};

__device__ __forceinline__ Range inside(int first, int kernel, int size) {
  return {first < 0 ? 0 : first, first + kernel < size ? first + kernel : size};
}

/// One thread per Width channels of an output pixel. `divisor` is the number of elements of every
/// window; 0 stands for those inside x.
template <typename Fold, typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) pool_windows(PoolArgs a,
                                                              std::int64_t items,
                                                              int divisor) {
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int groups = a.c / Width;
  const int c = item % groups * Width;
  const int pixel = item / groups;
  const int q = pixel % a.out_w;
  const int p = pixel / a.out_w % a.out_h;
  const std::int64_t picture = pixel / a.out_w / a.out_h;
  const Range rows = inside(p * a.stride_h - a.pad_top, a.kernel_h, a.h);
  const Range cols = inside(q * a.stride_w - a.pad_left, a.kernel_w, a.w);

  Values<Width> value;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) value.lane[i] = Fold::start();
  for (int row = rows.begin; row < rows.end; ++row) {
    const std::int64_t row_start = (picture * a.h + row) * a.w;
    for (int col = cols.begin; col < cols.end; ++col) {
      const std::int64_t at = (row_start + col) * a.x_stride + c;
      const auto x = load_values<Width>(static_cast<const T*>(a.x) + at);
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) value.lane[i] = Fold::fold(value.lane[i], x.lane[i]);
    }
  }
  if constexpr (Fold::kIsMean) {
    if (divisor == 0) divisor = (rows.end - rows.begin) * (cols.end - cols.begin);
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) {
      value.lane[i] = activate(a.activation, value.lane[i] / static_cast<float>(divisor));
    }
  }
  store_values<Width>(static_cast<T*>(a.y) + pixel * a.y_stride + c, value);
}

bool in_range(const PoolArgs& a) {
  return a.n >= 0 && a.h >= 1 && a.w >= 1 && a.c >= 1 && a.out_h >= 1 && a.out_w >= 1 &&
         a.kernel_h >= 1 && a.kernel_w >= 1 && a.stride_h >= 1 && a.stride_w >= 1 &&
         a.pad_top >= 0 && a.pad_top < a.kernel_h && a.pad_left >= 0 && a.pad_left < a.kernel_w &&
         a.x_stride >= a.c && a.y_stride >= a.c;
}

template <typename Fold, typename T>
cudaError_t launch_pool(const PoolArgs& a, int divisor, cudaStream_t stream) {
  constexpr int kWidth = kWidest<T>;
  const bool vectors = in_vectors(a.type, a.c, {{a.x, a.x_stride}, {a.y, a.y_stride}});
  const std::int64_t elements = std::int64_t{a.n} * a.out_h * a.out_w * a.c;
  const std::int64_t items = elements / (vectors ? kWidth : 1);
  return launch_items(vectors ? pool_windows<Fold, T, kWidth> : pool_windows<Fold, T, 1>,
                      items,
                      stream,
                      a,
                      items,
                      divisor);
}

template <typename Fold>
cudaError_t pool(const PoolArgs& a, int divisor, cudaStream_t stream) {
  if (!in_range(a)) return cudaErrorInvalidValue;
  if (a.n == 0) return cudaSuccess;
  const std::int64_t pixels = std::int64_t{a.out_h} * a.out_w;
  if (pixels > kMaxItems / a.c || pixels * a.c > kMaxItems / a.n) return cudaErrorInvalidValue;
  return with_element(a.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_pool<Fold, T>(a, divisor, stream);
  });
}

}  // namespace

cudaError_t max_pool(const PoolArgs& args, cudaStream_t stream) {
  return pool<Largest>(args, 0, stream);
}

cudaError_t average_pool(const PoolArgs& args, bool count_padding, cudaStream_t stream) {
  return pool<Total>(args, count_padding ? args.kernel_h * args.kernel_w : 0, stream);
}

}  // namespace fovea::kernels
