#include "kernels/global_pool.h"

#include "kernels/detail/reduce.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// Threads that share the pixels of a channel; a warp reads 32 neighbouring channels of a pixel.
constexpr int kPixelThreads = 8;

struct Largest {
  __device__ __forceinline__ static float start() { return -INFINITY; }

  __device__ __forceinline__ static float fold(float best, float x) {
    return x > best || x != x ? x : best;
  }

  __device__ __forceinline__ static float finish(float best, int /*pixels*/) { return best; }
};

struct Mean {
  __device__ __forceinline__ static float start() { return 0.0F; }

  __device__ __forceinline__ static float fold(float sum, float x) { return sum + x; }

  __device__ __forceinline__ static float finish(float sum, int pixels) {
    return sum / static_cast<float>(pixels);
  }
};

/// One block per 32 channels of a picture.
template <typename Fold>
__global__ void __launch_bounds__(kWarp* kPixelThreads) pool_pictures(const float* __restrict__ x,
                                                                      std::int64_t x_stride,
                                                                      float* __restrict__ y,
                                                                      int pixels,
                                                                      int channels) {
  SIMT_SHARED(partial, float[kPixelThreads][kWarp]);
  const int lane = static_cast<int>(threadIdx.x);
  const int row = static_cast<int>(threadIdx.y);
  const std::int64_t picture = blockIdx.y;
  const std::int64_t channel = static_cast<std::int64_t>(blockIdx.x) * kWarp + lane;

  float value = Fold::start();
  if (channel < channels) {
    const float* source = x + picture * pixels * x_stride + channel;
    for (int p = row; p < pixels; p += kPixelThreads) {
      value = Fold::fold(value, source[p * x_stride]);
    }
  }
  partial[row][lane] = value;
  __syncthreads();
  if (row != 0 || channel >= channels) return;
  SIMT_UNROLL
  for (int other = 1; other < kPixelThreads; ++other) {
    value = Fold::fold(value, partial[other][lane]);
  }
  y[picture * channels + channel] = Fold::finish(value, pixels);
}

template <typename Fold>
cudaError_t pool(const float* x,
                 std::int64_t x_stride,
                 float* y,
                 int n,
                 int pixels,
                 int c,
                 cudaStream_t stream) {
  constexpr int kMaxPictures = 65535;  // of a grid's second dimension
  if (n < 0 || n > kMaxPictures || pixels < 1 || c < 1 || x_stride < c) {
    return cudaErrorInvalidValue;
  }
  if (n == 0) return cudaSuccess;
  const dim3 grid(static_cast<unsigned>(c / kWarp + (c % kWarp != 0 ? 1 : 0)),
                  static_cast<unsigned>(n));
  return simt::launch(
      pool_pictures<Fold>, grid, dim3(kWarp, kPixelThreads), 0, stream, x, x_stride, y, pixels, c);
}

}  // namespace

cudaError_t global_average_pool(const float* x,
                                std::int64_t x_stride,
                                float* y,
                                int n,
                                int pixels,
                                int c,
                                cudaStream_t stream) {
  return pool<Mean>(x, x_stride, y, n, pixels, c, stream);
}

cudaError_t global_max_pool(const float* x,
                            std::int64_t x_stride,
                            float* y,
                            int n,
                            int pixels,
                            int c,
                            cudaStream_t stream) {
  return pool<Largest>(x, x_stride, y, n, pixels, c, stream);
}

}  // namespace fovea::kernels
