// Pooling over whole channels-last pictures.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace fovea::kernels {

/// y[i][c] = the mean of x[i][p][c] over all pixels p of picture i; sums are in float32, of at most
/// pixels / 8 terms one after the other.
///
/// x         device, `n` pictures of `pixels` pixels that are `x_stride` floats apart, x_stride >=
/// c y         device, dense [n][c]; must not overlap x n         0 to 65,535; nothing is launched
/// for 0 pixels, c >= 1 stream    where the work is enqueued; the call does not wait
///
/// Returns the launch error, cudaErrorInvalidValue if a size is out of range.
[[nodiscard]] cudaError_t global_average_pool(
    const float* x, std::int64_t x_stride, float* y, int n, int pixels, int c, cudaStream_t stream);

/// The same with the largest element; NaN wins.
[[nodiscard]] cudaError_t global_max_pool(
    const float* x, std::int64_t x_stride, float* y, int n, int pixels, int c, cudaStream_t stream);

}  // namespace fovea::kernels
