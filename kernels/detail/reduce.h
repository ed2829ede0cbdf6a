// Reductions over a warp and over a block.
#pragma once

#include "kernels/simt/simt.h"

namespace fovea::kernels {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffff'ffffU;

struct Sum {
  template <typename T>
  __device__ __forceinline__ static T fold(T a, T b) {
    return a + b;
  }
};

struct Max {
  template <typename T>
  __device__ __forceinline__ static T fold(T a, T b) {
    return b > a ? b : a;
  }
};

/// The fold of all lanes' values, in every lane. All lanes of the warp take part.
template <typename Fold, typename T>
__device__ __forceinline__ T warp_reduce(T value) {
  SIMT_UNROLL
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value = Fold::fold(value, __shfl_xor_sync(kAllLanes, value, offset));
  }
  return value;
}

/// The fold of the values of all threads of a block of Warps whole warps, in every thread.
/// `identity` changes nothing in a fold. All threads take part; they are synchronised before the
/// shared memory is written, so that calls may follow each other.
template <typename Fold, int Warps, typename T>
__device__ __forceinline__ T block_reduce(T value, T identity) {
  SIMT_SHARED(partial, T[kWarp]);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  value = warp_reduce<Fold>(value);
  __syncthreads();
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  return warp_reduce<Fold>(lane < Warps ? partial[lane] : identity);
}

}  // namespace fovea::kernels
