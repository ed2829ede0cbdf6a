#include "kernels/pool.h"

#include <algorithm>

#include "kernels/detail/activate.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/pool_folds.h"
#include "kernels/detail/vectors.h"
#include "kernels/detail/window_range.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// The part of a window that lies inside x: rows or columns [begin, end).
struct Span {
  int begin;
  int end;
};

__device__ __forceinline__ Span inside(int first, int kernel, int size) {
  return {first < 0 ? 0 : first, first + kernel < size ? first + kernel : size};
}

/// The elements of the window of output (p, q): `divisor`, or for 0 those inside x.
__device__ __forceinline__ int elements_of(const PoolArgs& a, int p, int q, int divisor) {
  if (divisor != 0) return divisor;
  const Span rows = inside(p * a.stride_h - a.pad_top, a.kernel_h, a.h);
  const Span cols = inside(q * a.stride_w - a.pad_left, a.kernel_w, a.w);
  return (rows.end - rows.begin) * (cols.end - cols.begin);
}

/// Stores the largest elements of a window.
template <typename T, int Width>
__device__ __forceinline__ void finish(const PoolArgs& /*a*/,
                                       int /*elements*/,
                                       const Chunk<T, Width>& best,
                                       T* y) {
  simt::store(y, best);
}

/// Stores the means of a window of so many elements.
template <typename T, int Width>
__device__ __forceinline__ void finish(const PoolArgs& a, int elements, Values<Width> sum, T* y) {
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) sum.lane[i] /= static_cast<float>(elements);
  if (a.activation.kind != ActivationKind::kNone) {
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) sum.lane[i] = activate(a.activation, sum.lane[i]);
  }
  store_values<Width>(y, sum);
}

/// Any window. One thread per Width channels of an output.
template <typename Fold, typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) pool_windows(PoolArgs a,
                                                              unsigned threads,
                                                              int /*walk*/,
                                                              int divisor) {
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  if (thread >= threads) return;
  const auto groups = static_cast<unsigned>(a.c / Width);
  const unsigned pixel = thread / groups;
  const unsigned line = pixel / static_cast<unsigned>(a.out_w);
  const unsigned picture = line / static_cast<unsigned>(a.out_h);
  const int p = static_cast<int>(line - picture * static_cast<unsigned>(a.out_h));
  const int q = static_cast<int>(pixel - line * static_cast<unsigned>(a.out_w));
  const int channel = static_cast<int>(thread - pixel * groups) * Width;
  const Span rows = inside(p * a.stride_h - a.pad_top, a.kernel_h, a.h);
  const Span cols = inside(q * a.stride_w - a.pad_left, a.kernel_w, a.w);
  const T* x = static_cast<const T*>(a.x) + channel;

  auto value = start<Fold, T, Width>();
  for (int row = rows.begin; row < rows.end; ++row) {
    const std::int64_t row_start = (std::int64_t{picture} * a.h + row) * a.w;
    for (int col = cols.begin; col < cols.end; ++col) {
      Fold::fold(value, simt::load<Chunk<T, Width>>(x + (row_start + col) * a.x_stride));
    }
  }
  T* y = static_cast<T*>(a.y) + pixel * a.y_stride + channel;
  finish(a, elements_of(a, p, q, divisor), value, y);
}

/// Neighbours of a row of y that one thread computes, so that they share reads of x.
constexpr int kRun = 2;

/// Threads of a block that walks: few, since they have many registers, of which larger blocks leave
/// more unused.
constexpr int kWalkThreads = 128;

__device__ __forceinline__ int clamp_to(int index, int size) {
  return index < 0 ? 0 : index < size ? index : size - 1;
}

__device__ __forceinline__ bool is_inside(int index, int size) {
  return static_cast<unsigned>(index) < static_cast<unsigned>(size);
}

/// What a run of windows asks for of one row: 16 bytes of channels of each pixel.
template <typename T, int Columns>
struct Row {
  Chunk<T, kWidest<T>> pixel[Columns];
};

/// Where a run of windows takes its rows from.
template <typename Fold, typename T, int Columns>
class Source {
 public:
  /// From the column `left` on.
  __device__ __forceinline__ Source(const PoolArgs& a, std::int64_t picture, int left, int channel)
      : row_bytes_(a.w * a.x_stride * std::int64_t{sizeof(T)}), h_(a.h), w_(a.w), left_(left) {
    x_ = static_cast<const char*>(a.x) + picture * a.h * row_bytes_ +
         channel * std::int64_t{sizeof(T)};
    const auto pixel_bytes = static_cast<unsigned>(a.x_stride) * unsigned{sizeof(T)};
    SIMT_UNROLL
    for (int i = 0; i < Columns; ++i) {
      offsets_[i] = static_cast<unsigned>(clamp_to(left + i, a.w)) * pixel_bytes;
    }
  }

  /// Loads a row. For elements outside x, a sum gets zeros, and a maximum their neighbours inside:
  /// a window that reaches over a border holds these, too.
  [[nodiscard]] __device__ __forceinline__ Row<T, Columns> load(int row) const {
    const char* start = x_ + clamp_to(row, h_) * row_bytes_;
    Row<T, Columns> values{};
    SIMT_UNROLL
    for (int i = 0; i < Columns; ++i) {
      if (Fold::kIsMean && !(is_inside(row, h_) && is_inside(left_ + i, w_))) continue;
      values.pixel[i] = simt::load<Chunk<T, kWidest<T>>>(start + offsets_[i]);
    }
    return values;
  }

 private:
  const char* x_;  ///< the thread's channels of the picture's pixel 0
  std::int64_t row_bytes_;
  int h_;
  int w_;
  int left_;
  unsigned offsets_[Columns];  ///< bytes from a row's pixel 0
};

/// What one thread computes: rows [first, end) of a run of outputs.
struct Walk {
  std::int64_t picture;
  int first;
  int end;
  int q;
  int channel;
};

/// Threads are numbered along channels, then along the runs of a row, then along the walks of a
/// column.
__device__ __forceinline__ Walk walk_of(const PoolArgs& a, unsigned thread, int width, int rows) {
  const auto groups = static_cast<unsigned>(a.c / width);
  const auto runs = static_cast<unsigned>((a.out_w + kRun - 1) / kRun);
  const auto walks = static_cast<unsigned>((a.out_h + rows - 1) / rows);
  const unsigned run = thread / groups;
  const unsigned line = run / runs;
  const unsigned picture = line / walks;
  const int first = static_cast<int>(line - picture * walks) * rows;
  return {picture,
          first,
          first + rows < a.out_h ? first + rows : a.out_h,
          static_cast<int>(run - line * runs) * kRun,
          static_cast<int>(thread - run * groups) * width};
}

/// Folds the window whose first column is `column` of these rows.
template <typename Fold, typename T, int Kernel, int Columns>
__device__ __forceinline__ auto fold_window(const Row<T, Columns> (&rows)[Kernel], int column) {
  auto value = start<Fold, T, kWidest<T>>();
  SIMT_UNROLL
  for (int tap = 0; tap < Kernel * Kernel; ++tap) {
    Fold::fold(value, rows[tap / Kernel].pixel[column + tap % Kernel]);
  }
  return value;
}

/// Windows of Kernel x Kernel that are Stride rows and columns apart. One thread per 16 bytes of
/// channels walks down `walk` rows of a run of outputs, and keeps the rows of x that a window
/// shares with the next one.
template <typename Fold, typename T, int Kernel, int Stride>
__global__ void __launch_bounds__(kWalkThreads) pool_walks(PoolArgs a,
                                                           unsigned threads,
                                                           int walk,
                                                           int divisor) {
  constexpr int kColumns = (kRun - 1) * Stride + Kernel;
  constexpr int kShared = Kernel - Stride;
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  if (thread >= threads) return;
  const Walk at = walk_of(a, thread, kWidest<T>, walk);
  const Source<Fold, T, kColumns> x(a, at.picture, at.q * Stride - a.pad_left, at.channel);
  const std::int64_t pixel = (at.picture * a.out_h + at.first) * a.out_w + at.q;
  T* y = static_cast<T*>(a.y) + pixel * a.y_stride + at.channel;

  // A step's rows are loaded at the end of the one before: a compiler that may mix reads with what
  // needs them saves registers, and waits for every read.
  Row<T, kColumns> rows[Kernel];
  SIMT_UNROLL
  for (int r = 0; r < Kernel; ++r) rows[r] = x.load(at.first * Stride - a.pad_top + r);
  for (int p = at.first;; y += a.out_w * a.y_stride) {
    SIMT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      const auto value = fold_window<Fold>(rows, i * Stride);
      if (i > 0 && at.q + i >= a.out_w) continue;
      finish(a, elements_of(a, p, at.q + i, divisor), value, y + i * a.y_stride);
    }
    if (++p == at.end) return;
    SIMT_UNROLL
    for (int r = 0; r < kShared; ++r) rows[r] = rows[r + Stride];
    SIMT_UNROLL
    for (int r = kShared; r < Kernel; ++r) rows[r] = x.load(p * Stride - a.pad_top + r);
  }
}

bool in_range(const PoolArgs& a) {
  return a.n >= 0 && a.c >= 1 &&
         window_in_range(a.h, a.out_h, a.kernel_h, a.stride_h, 1, a.pad_top) &&
         window_in_range(a.w, a.out_w, a.kernel_w, a.stride_w, 1, a.pad_left) &&
         a.pad_top < a.kernel_h && a.pad_left < a.kernel_w && a.x_stride >= a.c &&
         a.y_stride >= a.c && a.walk >= 0;
}

/// Takes the number of threads, the rows of a walk, and the divisor.
using Kernel = void (*)(PoolArgs, unsigned, int, int);

/// A kernel, and what each of its threads computes.
struct Choice {
  Kernel kernel;
  int width;
  int run;
  int longest_walk;
};

/// As many rows of y as a thread walks down where there is enough to do: of 3x3 windows that are 2
/// rows apart, an eighth of x is read twice.
constexpr int kLongestWalk = 4;

template <typename Fold, typename T>
Choice choose(const PoolArgs& a) {
  if (!in_vectors(a.type, a.c, {{a.x, a.x_stride}, {a.y, a.y_stride}})) {
    return {pool_windows<Fold, T, 1>, 1, 1, 1};
  }
  const bool row_fits = a.w <= kMaxItems / static_cast<int>(sizeof(T)) / a.x_stride;
  const auto is = [&](int kernel, int stride) {
    return a.kernel_h == kernel && a.kernel_w == kernel && a.stride_h == stride &&
           a.stride_w == stride && row_fits;
  };
  if (is(2, 2)) return {pool_walks<Fold, T, 2, 2>, kWidest<T>, kRun, kLongestWalk};
  if (is(3, 1)) return {pool_walks<Fold, T, 3, 1>, kWidest<T>, kRun, kLongestWalk};
  if (is(3, 2)) return {pool_walks<Fold, T, 3, 2>, kWidest<T>, kRun, kLongestWalk};
  return {pool_windows<Fold, T, kWidest<T>>, kWidest<T>, 1, 1};
}

/// Rows of a walk: fewer than the longest one has where that leaves threads of the GPU idle.
int walk_for(const PoolArgs& a, int threads_of_row, int longest) {
  constexpr int kBusyThreads = 1 << 17;  // about 132 multiprocessors with 1024 each
  if (a.walk != 0) return std::min(a.walk, a.out_h);
  const std::int64_t threads = std::int64_t{threads_of_row} * a.out_h;
  return static_cast<int>(std::clamp<std::int64_t>(threads / kBusyThreads, 1, longest));
}

template <typename Fold, typename T>
cudaError_t launch_pool(const PoolArgs& a, int divisor, cudaStream_t stream) {
  const Choice choice = choose<Fold, T>(a);
  const int threads_of_row = a.n * ceil_of(a.out_w, choice.run) * (a.c / choice.width);
  const int walk = choice.longest_walk == 1 ? 1 : walk_for(a, threads_of_row, choice.longest_walk);
  const int walks = ceil_of(a.out_h, walk);
  const auto threads = static_cast<unsigned>(threads_of_row) * static_cast<unsigned>(walks);
  // Short walks mean few threads: in small blocks they lie on more multiprocessors.
  const unsigned block = walk < choice.longest_walk ? 64 : kWalkThreads;
  return simt::launch(choice.kernel,
                      dim3(threads / block + (threads % block != 0 ? 1 : 0)),
                      dim3(block),
                      0,
                      stream,
                      a,
                      threads,
                      ceil_of(a.out_h, walks),
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
