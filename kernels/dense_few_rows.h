// Fully connected layers of a few rows, bound by the memory that the weights come from: they are
// read once, for all rows.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/activation.h"
#include "kernels/element.h"

namespace fovea::kernels {

inline constexpr int kMostFewRows = 8;

struct DenseFewRowsArgs {
  ElementType type = ElementType::kFloat32;  ///< of x, w and y
  const void* x = nullptr;                   ///< device, dense [rows][inputs], aligned to 16 bytes
  const void* w = nullptr;      ///< device, dense [outputs][inputs], aligned to 16 bytes
  const float* bias = nullptr;  ///< device, dense [outputs]; null for none
  void* y = nullptr;            ///< device, dense [rows][outputs]; must not overlap the others
  int rows = 0;                 ///< 0 to kMostFewRows; nothing is launched for 0
  int inputs = 0;               ///< >= 1; those of one row are a multiple of 16 bytes
  int outputs = 0;              ///< >= 1
  Activation activation{};
};

/// y[r][o] = activation(sum_i x[r][i] * w[o][i] + bias[o]). Sums are in float32: those of 256
/// threads, each in the order of i, then their tree.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size or an address is out of
/// range.
[[nodiscard]] cudaError_t dense_few_rows(const DenseFewRowsArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
