// One affine function of every element.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

/// Pixels of `channels` elements; x and y have their own pixel strides, so that each may be a
/// channel slice.
struct RescaleArgs {
  ElementType type = ElementType::kFloat32;  ///< of x and y
  const void* x = nullptr;                   ///< device
  void* y = nullptr;          ///< device; may be x where the strides are equal, otherwise it must
                              ///< not overlap x
  std::int64_t x_stride = 0;  ///< elements from one pixel to the next, >= channels
  std::int64_t y_stride = 0;  ///< likewise
  std::int64_t pixels = 0;    ///< >= 0; nothing is launched for 0
  int channels = 0;           ///< >= 1
  float scale = 1.0F;
  float offset = 0.0F;
};

/// y[p][c] = x[p][c] * scale + offset, rounded once to float32.
///
/// The floor is one read of x and one write of y.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or y
/// has 2^31 elements or more.
[[nodiscard]] cudaError_t rescale(const RescaleArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
