#include "kernels/depthwise.h"

#include "kernels/detail/depthwise_values.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// Threads of a block: few, since small pictures have few windows and every thread many registers.
constexpr int kThreads = 128;

/// Neighbours of a row of y that one thread computes, so that they share reads of x and weights.
/// Two leave 3x3 windows of halves 64 registers, with which half of an SM's threads hide what the
/// memory takes; larger windows are limited by what they read from the cache, of which four read
/// less.
template <typename T, int Kernel, int Stride>
inline constexpr int kRun = Stride == 1 && (sizeof(T) == sizeof(float) || Kernel > 3) ? 4 : 2;

/// The first output of a thread.
struct Position {
  std::int64_t picture;
  int p;
  int q;
  int channel;  ///< of y
};

/// Threads are numbered along channels, then along runs of `run` outputs of a row.
__device__ __forceinline__ Position position_of(const DepthwiseArgs& a,
                                                unsigned thread,
                                                int width,
                                                int run) {
  const unsigned groups = static_cast<unsigned>(a.c * a.multiplier / width);
  const unsigned runs = static_cast<unsigned>((a.out_w + run - 1) / run);
  const unsigned run_number = thread / groups;
  const unsigned row = run_number / runs;
  const auto rows = static_cast<unsigned>(a.out_h);
  return {row / rows,
          static_cast<int>(row % rows),
          static_cast<int>(run_number % runs) * run,
          static_cast<int>(thread % groups) * width};
}

/// Width values of x as the sums read them; zero where the column is not inside.
template <int Width, typename T>
__device__ __forceinline__ Values<Width> read(const DepthwiseArgs& a, const T* row, int column) {
  if (column < 0 || column >= a.w) return {};
  return read_values<Width>(a, row + column * a.x_stride);
}

/// Adds what follows the sums of one output, and stores it.
template <typename T, int Width>
__device__ __forceinline__ void finish(const DepthwiseArgs& a,
                                       std::int64_t pixel,
                                       int channel,
                                       Values<Width> sums) {
  if (a.residual != nullptr) {
    const T* residuals = static_cast<const T*>(a.residual) + pixel * a.residual_stride + channel;
    const auto residual = load_values<Width>(residuals);
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) sums.lane[i] += residual.lane[i];
  }
  add_bias_and_activate(a, channel, sums);
  store_values<Width>(static_cast<T*>(a.y) + pixel * a.y_stride + channel, sums);
}

/// Adds what one row of x has for a run of windows, of which each pixel and weight is loaded once.
///
/// x, weights  the thread's channels of the row's pixel 0 and of the window's first weight there
/// left        the column of the first window's first weight
template <int Kernel, int Stride, int Width, int Run, typename T>
__device__ __forceinline__ void add_row(
    const DepthwiseArgs& a, const T* x, const T* weights, int left, Values<Width> (&sums)[Run]) {
  Packed<T, Width> taps[Kernel];
  SIMT_UNROLL
  for (int s = 0; s < Kernel; ++s)
    taps[s] = simt::load<Packed<T, Width>>(weights + std::int64_t{s} * a.c);
  SIMT_UNROLL
  for (int column = 0; column < (Run - 1) * Stride + Kernel; ++column) {
    const auto value = read<Width>(a, x, left + column);
    SIMT_UNROLL
    for (int output = 0; output < Run; ++output) {
      const int s = column - output * Stride;
      if (s < 0 || s >= Kernel) continue;
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) {
        sums[output].lane[i] += value.lane[i] * to_float(taps[s].lane[i]);
      }
    }
  }
}

/// Windows of Kernel x Kernel that are Stride columns apart. One thread per 16 bytes of channels of
/// a run of outputs.
template <typename T, int Kernel, int Stride>
__global__ void __launch_bounds__(kThreads) depthwise_runs(DepthwiseArgs a, unsigned threads) {
  constexpr int kWidth = kWidest<T>;
  constexpr int kOutputs = kRun<T, Kernel, Stride>;
  const unsigned thread = blockIdx.x * kThreads + threadIdx.x;
  if (thread >= threads) return;
  const Position at = position_of(a, thread, kWidth, kOutputs);
  const T* x = static_cast<const T*>(a.x) + at.channel;
  const T* weights = static_cast<const T*>(a.weights) + at.channel;

  Values<kWidth> sums[kOutputs] = {};
  for (int r = 0; r < Kernel; ++r) {
    const int row = at.p * a.stride_h + r * a.dilation_h - a.pad_top;
    if (row < 0 || row >= a.h) continue;
    add_row<Kernel, Stride>(a,
                            x + (at.picture * a.h + row) * a.w * a.x_stride,
                            weights + static_cast<std::int64_t>(r) * Kernel * a.c,
                            at.q * Stride - a.pad_left,
                            sums);
  }
  const std::int64_t pixel = (at.picture * a.out_h + at.p) * a.out_w + at.q;
  SIMT_UNROLL
  for (int output = 0; output < kOutputs; ++output) {
    if (at.q + output < a.out_w) finish<T>(a, pixel + output, at.channel, sums[output]);
  }
}

/// Any window. One thread per Width channels of an output; 1 where channels have several outputs.
template <typename T, int Width>
__global__ void __launch_bounds__(kThreads) depthwise_windows(DepthwiseArgs a, unsigned threads) {
  const unsigned thread = blockIdx.x * kThreads + threadIdx.x;
  if (thread >= threads) return;
  const Position at = position_of(a, thread, Width, 1);
  const int outputs = a.c * a.multiplier;
  const T* x = static_cast<const T*>(a.x) + at.channel / a.multiplier;

  Values<Width> sums{};
  const T* row_weights = static_cast<const T*>(a.weights) + at.channel;
  for (int r = 0; r < a.kernel_h; ++r, row_weights += std::int64_t{a.kernel_w} * outputs) {
    const int row = at.p * a.stride_h + r * a.dilation_h - a.pad_top;
    if (row < 0 || row >= a.h) continue;
    const T* x_row = x + (at.picture * a.h + row) * a.w * a.x_stride;
    // Several iterations at once would need registers that spill on some architectures.
    SIMT_ROLLED
    for (int s = 0; s < a.kernel_w; ++s) {
      const int column = at.q * a.stride_w + s * a.dilation_w - a.pad_left;
      const auto weight = load_values<Width>(row_weights + std::int64_t{s} * outputs);
      const auto value = read<Width>(a, x_row, column);
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) sums.lane[i] += value.lane[i] * weight.lane[i];
    }
  }
  finish<T>(a, (at.picture * a.out_h + at.p) * a.out_w + at.q, at.channel, sums);
}

/// Whether all pixels and weights can be moved 16 bytes at a time.
bool takes_vectors(const DepthwiseArgs& a) {
  return a.multiplier == 1 && in_vectors(a.type,
                                         a.c,
                                         {{a.x, a.x_stride},
                                          {a.weights, a.c},
                                          {a.residual, a.residual_stride},
                                          {a.y, a.y_stride}});
}

using Kernel = void (*)(DepthwiseArgs, unsigned);

/// A kernel, and what each of its threads computes.
struct Choice {
  Kernel kernel;
  int width;
  int run;
};

template <typename T, int Size>
Choice choose_stride(const DepthwiseArgs& a) {
  if (a.stride_w == 1) return {depthwise_runs<T, Size, 1>, kWidest<T>, kRun<T, Size, 1>};
  return {depthwise_runs<T, Size, 2>, kWidest<T>, kRun<T, Size, 2>};
}

template <typename T>
Choice choose(const DepthwiseArgs& a) {
  if (!takes_vectors(a)) return {depthwise_windows<T, 1>, 1, 1};
  if (a.kernel_h == a.kernel_w && a.stride_w <= 2 && a.dilation_w == 1) {
    if (a.kernel_w == 3) return choose_stride<T, 3>(a);
    if (a.kernel_w == 5) return choose_stride<T, 5>(a);
    if (a.kernel_w == 7) return choose_stride<T, 7>(a);
  }
  return {depthwise_windows<T, kWidest<T>>, kWidest<T>, 1};
}

}  // namespace

cudaError_t depthwise(const DepthwiseArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.n == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    const Choice choice = choose<T>(args);
    const unsigned groups = static_cast<unsigned>(args.c * args.multiplier / choice.width);
    const unsigned runs = static_cast<unsigned>((args.out_w + choice.run - 1) / choice.run);
    const unsigned threads = static_cast<unsigned>(args.n * args.out_h) * runs * groups;
    const dim3 blocks(threads / kThreads + (threads % kThreads != 0 ? 1 : 0));
    return simt::launch(choice.kernel, blocks, dim3(kThreads), 0, stream, args, threads);
  });
}

}  // namespace fovea::kernels
