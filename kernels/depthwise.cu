#include "kernels/depthwise.h"

#include <algorithm>

#include "kernels/detail/clamp.h"
#include "kernels/detail/depthwise_run.h"
#include "kernels/detail/depthwise_values.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// Threads of a block that compute windows: few, since small pictures have few.
constexpr int kThreads = 128;
/// The most threads of a block that computes runs: rows of 19 and 37 outputs then divide well.
constexpr int kMostRunThreads = 160;

/// Threads that keep a large GPU busy: half of those that its 132 multiprocessors have room for.
constexpr std::int64_t kBusyThreads = std::int64_t{132} * 256;

/// Threads are numbered along channels, then along the outputs of a row.
__device__ __forceinline__ DepthwisePlace place_of(const DepthwiseArgs& a,
                                                   unsigned thread,
                                                   int width) {
  const unsigned groups = static_cast<unsigned>(a.c * a.multiplier / width);
  const unsigned pixel = thread / groups;
  const unsigned row = pixel / static_cast<unsigned>(a.out_w);
  const auto rows = static_cast<unsigned>(a.out_h);
  return {static_cast<int>(row / rows),
          static_cast<int>(row % rows),
          static_cast<int>(pixel % static_cast<unsigned>(a.out_w)),
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

/// Blocks of kMostRunThreads whose registers a multiprocessor is to have room for: fewer for the
/// weights of larger windows.
template <typename T, int Kernel>
inline constexpr int kRunBlocks = sizeof(T) * Kernel <= 12   ? 3
                                  : sizeof(T) * Kernel <= 20 ? 2
                                                             : 1;

/// One thread per run of outputs and few channels of a segment of rows; a block has runs that are
/// neighbours, which share what they read.
template <typename T, int Kernel, int Stride>
__global__ void __launch_bounds__(kMostRunThreads, kRunBlocks<T, Kernel>) depthwise_runs(
    DepthwiseArgs a, DepthwiseLayout layout) {
  using Run = DepthwiseRun<T, Kernel, Stride>;
  const unsigned column_tile = blockIdx.x / layout.channel_tiles;
  const unsigned channel_tile = blockIdx.x - column_tile * layout.channel_tiles;
  const unsigned run = column_tile * blockDim.y + threadIdx.y;
  const unsigned chunk = channel_tile * blockDim.x + threadIdx.x;
  const DepthwisePlace at{static_cast<int>(blockIdx.z),
                          static_cast<int>(blockIdx.y) * layout.rows,
                          static_cast<int>(run) * Run::kOutputs,
                          static_cast<int>(chunk) * Run::kWidth};
  if (at.channel >= a.c || at.q >= a.out_w) return;
  const int rows = a.out_h - at.p < layout.rows ? a.out_h - at.p : layout.rows;
  Run(a, layout, at, rows).compute();
}

/// Any window. One thread per Width channels of an output; 1 where channels have several outputs.
template <typename T, int Width>
__global__ void __launch_bounds__(kThreads) depthwise_windows(DepthwiseArgs a, unsigned threads) {
  const unsigned thread = blockIdx.x * kThreads + threadIdx.x;
  if (thread >= threads) return;
  const DepthwisePlace at = place_of(a, thread, Width);
  const int outputs = a.c * a.multiplier;
  const T* x = static_cast<const T*>(a.x) + at.channel / a.multiplier;

  Values<Width> sums{};
  const T* row_weights = static_cast<const T*>(a.weights) + at.channel;
  for (int r = 0; r < a.kernel_h; ++r, row_weights += std::int64_t{a.kernel_w} * outputs) {
    const int row = at.p * a.stride_h + r * a.dilation_h - a.pad_top;
    if (row < 0 || row >= a.h) continue;
    const T* x_row = x + (std::int64_t{at.picture} * a.h + row) * a.w * a.x_stride;
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
  finish<T>(a, (std::int64_t{at.picture} * a.out_h + at.p) * a.out_w + at.q, at.channel, sums);
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

template <typename T, int Width>
cudaError_t launch_windows(const DepthwiseArgs& a, cudaStream_t stream) {
  const auto groups = static_cast<unsigned>(a.c * a.multiplier / Width);
  const unsigned threads = static_cast<unsigned>(a.n * a.out_h * a.out_w) * groups;
  const dim3 blocks(threads / kThreads + (threads % kThreads != 0 ? 1 : 0));
  return simt::launch(depthwise_windows<T, Width>, blocks, dim3(kThreads), 0, stream, a, threads);
}

dim3 dimensions(int x, int y, int z) {
  return {static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z)};
}

/// The threads of a block along channels: as many as leave few of them without work.
int lanes_for(int chunks) {
  int lanes = 32;
  while (lanes > 2 && std::int64_t{ceil_of(chunks, lanes)} * lanes * 8 > std::int64_t{chunks} * 9) {
    lanes /= 2;
  }
  return lanes;
}

/// The rows of y of a thread, halved for as long as that fills the GPU, or evens out when its parts
/// finish, more than it costs to compute what comes before a segment's first row again.
///
/// threads      of one segment
/// in_flight    rows
int rows_for(int out_h, std::int64_t threads, int in_flight) {
  const auto cost = [&](int rows) {
    const std::int64_t all = threads * ceil_of(out_h, rows);
    return (std::max(all, kBusyThreads) + kBusyThreads) * (rows + in_flight);
  };
  int rows = out_h;
  while (rows > 1 && cost(ceil_of(rows, 2)) < cost(rows)) rows = ceil_of(rows, 2);
  return rows;
}

template <typename T, int Kernel, int Stride>
cudaError_t launch_runs(const DepthwiseArgs& a, cudaStream_t stream) {
  using Run = DepthwiseRun<T, Kernel, Stride>;
  const int chunks = a.c / Run::kWidth;
  const int lanes = lanes_for(chunks);
  const int channel_tiles = ceil_of(chunks, lanes);
  const int runs = ceil_of(a.out_w, Run::kOutputs);
  const int column_tiles = ceil_of(runs, kMostRunThreads / lanes);
  const dim3 block = dimensions(lanes, ceil_of(runs, column_tiles), 1);
  const std::int64_t threads = std::int64_t{a.n} * chunks * runs;
  const int rows = rows_for(a.out_h, threads, Run::kInFlight);
  const DepthwiseLayout layout{
      .channel_tiles = static_cast<unsigned>(channel_tiles),
      .rows = rows,
      .x_pixel = a.x_stride * std::int64_t{sizeof(T)},
      .x_row = a.w * a.x_stride * std::int64_t{sizeof(T)},
      .y_pixel = a.y_stride * std::int64_t{sizeof(T)},
      .y_row = a.out_w * a.y_stride * std::int64_t{sizeof(T)},
      .residual_pixel = a.residual_stride * std::int64_t{sizeof(T)},
      .residual_row = a.out_w * a.residual_stride * std::int64_t{sizeof(T)}};
  const dim3 grid = dimensions(channel_tiles * column_tiles, ceil_of(a.out_h, rows), a.n);
  return simt::launch(depthwise_runs<T, Kernel, Stride>, grid, block, 0, stream, a, layout);
}

/// Whether depthwise_runs computes it: activations that bound, for whole chunks of channels; rows
/// and pictures that a grid can number.
template <typename T>
bool takes_runs(const DepthwiseArgs& a) {
  constexpr int kMostBlocks = 65535;
  return a.kernel_h == a.kernel_w && a.stride_h == a.stride_w && a.stride_w <= 2 &&
         a.dilation_h == 1 && a.dilation_w == 1 && a.pad_top < a.kernel_h &&
         a.pad_left < a.kernel_w && Range<T>::has(a.activation.kind) &&
         a.activation_channels % 4 == 0 && a.n <= kMostBlocks && a.out_h <= kMostBlocks;
}

template <typename T, int Kernel>
cudaError_t launch_stride(const DepthwiseArgs& a, cudaStream_t stream) {
  return a.stride_w == 1 ? launch_runs<T, Kernel, 1>(a, stream)
                         : launch_runs<T, Kernel, 2>(a, stream);
}

template <typename T>
cudaError_t launch(const DepthwiseArgs& a, cudaStream_t stream) {
  if (!takes_vectors(a)) return launch_windows<T, 1>(a, stream);
  if (takes_runs<T>(a)) {
    if (a.kernel_w == 3) return launch_stride<T, 3>(a, stream);
    if (a.kernel_w == 5) return launch_stride<T, 5>(a, stream);
    if (a.kernel_w == 7) return launch_stride<T, 7>(a, stream);
  }
  return launch_windows<T, kWidest<T>>(a, stream);
}

}  // namespace

cudaError_t depthwise(const DepthwiseArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.n == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch<T>(args, stream);
  });
}

}  // namespace fovea::kernels
