// Fully connected layers: a plain product, summed in float32 as IEEE sums are, for any size.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/activation.h"
#include "kernels/element.h"

namespace fovea::kernels {

struct DenseArgs {
  ElementType type = ElementType::kFloat32;  ///< of x, w and y
  const void* x = nullptr;                   ///< device, dense [rows][inputs]
  const void* w = nullptr;                   ///< device, dense [outputs][inputs]
  const float* bias = nullptr;               ///< device, dense [outputs]; null for none
  void* y = nullptr;      ///< device, dense [rows][outputs]; must not overlap the others
  std::int64_t rows = 0;  ///< 0 to 262,140; nothing is launched for 0
  int inputs = 0;         ///< >= 1
  int outputs = 0;        ///< >= 1
  Activation activation{};
};

/// y[r][o] = activation(sum_i x[r][i] * w[o][i] + bias[o]). Sums are in float32: 32 partial sums
/// of a warp, then their tree.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range.
[[nodiscard]] cudaError_t dense(const DenseArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
