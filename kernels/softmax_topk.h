// The tail of a classifier: softmax over the classes, and the best classes of every row.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace fovea::kernels {

/// y[r][c] = exp(x[r][c] - m_r) / sum_j exp(x[r][j] - m_r), with m_r the maximum of row r.
///
/// x, y    device, float32, dense [rows][cols]; y may be x, otherwise they must not overlap
/// rows    0 to 2^31 - 1; nothing is launched for 0
/// cols    1 to 2^31 - 1
/// stream  where the work is enqueued; the call does not wait
///
/// Sums are in float32: the relative error of a normal number is at most
/// (cols / 256 + |x[r][c] - m_r| + 20) * 2^-24. A row with NaN or +infinity is NaN throughout.
///
/// Returns the launch error, cudaErrorInvalidValue if a size is out of range.
[[nodiscard]] cudaError_t softmax(
    const float* x, float* y, std::int64_t rows, std::int64_t cols, cudaStream_t stream);

/// Where the best of every row go.
struct TopKArgs {
  const float* x = nullptr;         ///< device, dense [rows][cols]
  float* values = nullptr;          ///< device, dense [rows][k]
  std::int32_t* indices = nullptr;  ///< device, dense [rows][k]; no two of the three overlap
  std::int64_t rows = 0;            ///< >= 0; nothing is launched for 0
  std::int64_t cols = 0;            ///< 1 to 2^31 - 1
  std::int64_t k = 0;               ///< 1 to cols
};

/// The k largest of every row and where they stand, best first; equal values: lower index first;
/// NaN comes last.
///
/// k <= 32 and cols <= 8192 take one pass with the row in registers, everything else cols^2
/// comparisons spread over the device. Does not wait. Returns the launch error,
/// cudaErrorInvalidValue if a size is out of range or rows * ceil(cols / 256) is 2^31 or more.
[[nodiscard]] cudaError_t top_k(const TopKArgs& args, cudaStream_t stream);

/// top_k of logits, with softmax's values: values[r][i] is the probability of class indices[r][i].
/// In a row with NaN or +infinity the values are NaN, in the order of the logits.
[[nodiscard]] cudaError_t softmax_top_k(const TopKArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
