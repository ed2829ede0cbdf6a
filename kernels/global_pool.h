// Pooling over whole channels-last pictures.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

struct GlobalPoolArgs {
  ElementType type = ElementType::kFloat32;  ///< of x and y
  const void* x = nullptr;                   ///< device, [n][pixels][c]; may be a channel slice
  void* y = nullptr;                         ///< device, dense [n][c]; must not overlap x
  std::int64_t x_stride = 0;                 ///< elements from one pixel to the next, >= c
  int n = 0;                                 ///< pictures, 0 to 65,535; nothing is launched for 0
  int pixels = 0;                            ///< of a picture, >= 1
  int c = 0;                                 ///< >= 1
};

/// y[i][c] = the mean of x[i][p][c] over all pixels p of picture i; sums are in float32, of at most
/// pixels / 8 + 32 terms one after the other.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range.
[[nodiscard]] cudaError_t global_average_pool(const GlobalPoolArgs& args, cudaStream_t stream);

/// The same with the largest element; NaN wins.
[[nodiscard]] cudaError_t global_max_pool(const GlobalPoolArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
