// Activations that only bound values, of elements as they lie in memory.
#pragma once

#include <cmath>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kernels/activation.h"
#include "kernels/detail/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// The elements that one instruction bounds: two of 16 bits.
__device__ __forceinline__ __half2 pair_of(__half x, __half y) {
  return __halves2half2(x, y);
}

__device__ __forceinline__ __nv_bfloat162 pair_of(__nv_bfloat16 x, __nv_bfloat16 y) {
  return __halves2bfloat162(x, y);
}

/// The values that an activation keeps. NaN stays NaN.
///
/// Rounding keeps order, so that bounding an element gives what bounding the value before it was
/// rounded does.
template <typename T>
struct Range {
  T lo;
  T hi;

  static constexpr bool has(ActivationKind kind) {
    return kind == ActivationKind::kNone || kind == ActivationKind::kRelu ||
           kind == ActivationKind::kClip;
  }

  /// Of an activation that has() one.
  __device__ __forceinline__ explicit Range(const Activation& activation)
      : lo(from_float<T>(activation.kind == ActivationKind::kNone   ? -INFINITY
                         : activation.kind == ActivationKind::kRelu ? 0.0F
                                                                    : activation.lo)),
        hi(from_float<T>(activation.kind == ActivationKind::kClip ? activation.hi : INFINITY)) {}

  /// max(x, lo)
  template <int Width>
  [[nodiscard]] __device__ __forceinline__ Packed<T, Width> at_least(Packed<T, Width> x) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) x.lane[i] = x.lane[i] <= lo ? lo : x.lane[i];
    } else {
      SIMT_UNROLL
      for (int i = 0; i < Width; i += 2) {
        const auto both = __hmax2_nan(pair_of(x.lane[i], x.lane[i + 1]), pair_of(lo, lo));
        x.lane[i] = both.x;
        x.lane[i + 1] = both.y;
      }
    }
    return x;
  }

  /// min(max(x, lo), hi)
  template <int Width>
  [[nodiscard]] __device__ __forceinline__ Packed<T, Width> clamp(Packed<T, Width> x) const {
    x = at_least(x);
    if constexpr (sizeof(T) == sizeof(float)) {
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) x.lane[i] = x.lane[i] >= hi ? hi : x.lane[i];
    } else {
      SIMT_UNROLL
      for (int i = 0; i < Width; i += 2) {
        const auto both = __hmin2_nan(pair_of(x.lane[i], x.lane[i + 1]), pair_of(hi, hi));
        x.lane[i] = both.x;
        x.lane[i + 1] = both.y;
      }
    }
    return x;
  }
};

}  // namespace fovea::kernels
