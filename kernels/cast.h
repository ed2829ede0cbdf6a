// Elements of one type to those of another.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

/// Pixels of `channels` elements; either side may be a channel slice.
struct CastArgs {
  ElementType from = ElementType::kFloat32;
  ElementType to = ElementType::kFloat32;
  const void* x = nullptr;    ///< device
  void* y = nullptr;          ///< device; must not overlap x
  std::int64_t x_stride = 0;  ///< elements from one pixel to the next, >= channels
  std::int64_t y_stride = 0;  ///< likewise
  std::int64_t pixels = 0;    ///< >= 0; nothing is launched for 0
  std::int64_t channels = 0;  ///< >= 1
};

/// y[p][c] = x[p][c], rounded to nearest even. NaN stays NaN, with another payload where the types
/// differ.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or y
/// has 2^31 elements or more.
[[nodiscard]] cudaError_t cast(const CastArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
