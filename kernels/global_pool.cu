#include "kernels/global_pool.h"

#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/pool_folds.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

struct LargestOfAll {
  __device__ __forceinline__ static float start() { return -INFINITY; }

  __device__ __forceinline__ static float fold(float best, float x) { return larger(best, x); }

  __device__ __forceinline__ static float finish(float best, int /*pixels*/) { return best; }
};

struct Mean {
  __device__ __forceinline__ static float start() { return 0.0F; }

  __device__ __forceinline__ static float fold(float sum, float x) { return sum + x; }

  __device__ __forceinline__ static float finish(float sum, int pixels) {
    return sum / static_cast<float>(pixels);
  }
};

/// What a block of kBlockThreads does: kChannels neighbouring channels of a picture, Width of them
/// to a thread, and so kRows threads share the pixels of a channel.
template <int Width>
struct Tile {
  static constexpr int kChannels = Width == 1 ? 32 : 64;
  static constexpr int kLanes = kChannels / Width;
  static constexpr int kRows = kBlockThreads / kLanes;
};

template <typename Fold, typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) pool_pictures(GlobalPoolArgs a) {
  using Shape = Tile<Width>;
  SIMT_SHARED(partial, float[Shape::kRows][Shape::kChannels]);
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / Shape::kLanes;
  const int first = thread % Shape::kLanes * Width;  // channel of the tile
  const std::int64_t picture = blockIdx.y;
  const std::int64_t tile = static_cast<std::int64_t>(blockIdx.x) * Shape::kChannels;

  Values<Width> value;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) value.lane[i] = Fold::start();
  if (tile + first < a.c) {
    const T* x = static_cast<const T*>(a.x) + picture * a.pixels * a.x_stride + tile + first;
    for (int p = row; p < a.pixels; p += Shape::kRows) {
      const auto pixel = load_values<Width>(x + p * a.x_stride);
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) value.lane[i] = Fold::fold(value.lane[i], pixel.lane[i]);
    }
  }
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) partial[row][first + i] = value.lane[i];
  __syncthreads();

  const std::int64_t channel = tile + thread;
  if (thread >= Shape::kChannels || channel >= a.c) return;
  float total = partial[0][thread];
  for (int other = 1; other < Shape::kRows; ++other) {
    total = Fold::fold(total, partial[other][thread]);
  }
  static_cast<T*>(a.y)[picture * a.c + channel] = from_float<T>(Fold::finish(total, a.pixels));
}

template <typename Fold, typename T, int Width>
cudaError_t launch_pool(const GlobalPoolArgs& a, cudaStream_t stream) {
  constexpr int kChannels = Tile<Width>::kChannels;
  const dim3 grid(static_cast<unsigned>(a.c / kChannels + (a.c % kChannels != 0 ? 1 : 0)),
                  static_cast<unsigned>(a.n));
  return simt::launch(pool_pictures<Fold, T, Width>, grid, dim3(kBlockThreads), 0, stream, a);
}

template <typename Fold>
cudaError_t pool(const GlobalPoolArgs& a, cudaStream_t stream) {
  constexpr int kMaxPictures = 65535;  // of a grid's second dimension
  if (a.n < 0 || a.n > kMaxPictures || a.pixels < 1 || a.c < 1 || a.x_stride < a.c) {
    return cudaErrorInvalidValue;
  }
  if (a.n == 0) return cudaSuccess;
  return with_element(a.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    constexpr int kWidth = kWidest<T>;
    const bool vectors = in_vectors(a.type, a.c, {{a.x, a.x_stride}});
    return vectors ? launch_pool<Fold, T, kWidth>(a, stream) : launch_pool<Fold, T, 1>(a, stream);
  });
}

}  // namespace

cudaError_t global_average_pool(const GlobalPoolArgs& args, cudaStream_t stream) {
  return pool<Mean>(args, stream);
}

cudaError_t global_max_pool(const GlobalPoolArgs& args, cudaStream_t stream) {
  return pool<LargestOfAll>(args, stream);
}

}  // namespace fovea::kernels
