// The two numbers that turn a row of logits into probabilities.
#pragma once

#include <cstdint>

#include "kernels/detail/reduce.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

struct SoftmaxRow {
  float peak;  ///< the largest logit, NaN aside
  float sum;   ///< of exp(x - peak); NaN where a logit is NaN or +infinity, or all are -infinity
};

__device__ __forceinline__ float probability(float x, SoftmaxRow row) {
  return expf(x - row.peak) / row.sum;
}

/// Those of x[0 .. cols), computed by a block of Warps whole warps, known to every thread.
template <int Warps>
__device__ __forceinline__ SoftmaxRow softmax_row(const float* x, std::int64_t cols) {
  constexpr int kThreads = Warps * kWarp;
  float peak = -INFINITY;
  for (std::int64_t c = static_cast<int>(threadIdx.x); c < cols; c += kThreads) {
    peak = Max::fold(peak, x[c]);
  }
  peak = block_reduce<Max, Warps>(peak, -INFINITY);
  float sum = 0.0F;
  for (std::int64_t c = static_cast<int>(threadIdx.x); c < cols; c += kThreads) {
    sum += expf(x[c] - peak);
  }
  return {peak, block_reduce<Sum, Warps>(sum, 0.0F)};
}

}  // namespace fovea::kernels
