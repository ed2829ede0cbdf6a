// Fully connected layers of a few rows, bound by the memory that the weights come from: they are
// read once, for all rows.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/dense.h"

namespace fovea::kernels {

inline constexpr int kMostFewRows = 8;

/// y[r][o] = activation(sum_i x[r][i] * w[o][i] + bias[o]). Sums are in float32: those of 256
/// threads, each in the order of i, then their tree.
///
/// args    rows: 0 to kMostFewRows; a row of x or w is a multiple of 16 bytes, and x and w are
///         aligned to them
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size or an address is out of
/// range.
[[nodiscard]] cudaError_t dense_few_rows(const DenseArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
