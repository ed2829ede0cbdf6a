// Local response normalisation across channels.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

/// Pixels of `channels` elements; x and y have their own pixel strides, so that each may be a
/// channel slice.
struct LrnArgs {
  ElementType type = ElementType::kFloat32;  ///< of x and y
  const void* x = nullptr;                   ///< device
  void* y = nullptr;                         ///< device; must not overlap x
  std::int64_t x_stride = 0;                 ///< elements from one pixel to the next, >= channels
  std::int64_t y_stride = 0;                 ///< likewise
  std::int64_t pixels = 0;                   ///< >= 0; nothing is launched for 0
  int channels = 0;                          ///< >= 1
  int before = 2;                            ///< channels of a window below its own one, >= 0
  int after = 2;                             ///< above it
  float scale = 0.0F;                        ///< of the squares' sum, finite, >= 0
  float beta = 0.75F;
  float bias = 1.0F;  ///< finite, > 0
};

/// y[p][c] = x[p][c] * (bias + scale * sum_j x[p][j]^2)^-beta, j from c - before to c + after as
/// far as there are channels; in float32.
///
/// Fastest for windows of five channels where all strides, channels and addresses are multiples of
/// 16 bytes. The floor is one read of x and one write of y.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or y
/// has 2^31 elements or more.
[[nodiscard]] cudaError_t lrn(const LrnArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
