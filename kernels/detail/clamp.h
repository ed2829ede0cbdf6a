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
    return bounded<false>(x, lo);
  }

  /// min(max(x, lo), hi)
  template <int Width>
  [[nodiscard]] __device__ __forceinline__ Packed<T, Width> clamp(Packed<T, Width> x) const {
    return bounded<true>(at_least(x), hi);
  }

 private:
  /// min(x, bound) or max(x, bound), keeping NaN; two elements of 16 bits at a time.
  template <bool IsUpper, int Width>
  __device__ __forceinline__ static Packed<T, Width> bounded(Packed<T, Width> x, T bound) {
    if constexpr (sizeof(T) == sizeof(float)) {
      SIMT_UNROLL
      for (int i = 0; i < Width; ++i) {
        const bool is_beyond = IsUpper ? x.lane[i] >= bound : x.lane[i] <= bound;
        x.lane[i] = is_beyond ? bound : x.lane[i];
      }
    } else {
      const auto bounds = pair_of(bound, bound);
      SIMT_UNROLL
      for (int i = 0; i < Width; i += 2) {
        const auto pair = pair_of(x.lane[i], x.lane[i + 1]);
        const auto both = IsUpper ? __hmin2_nan(pair, bounds) : __hmax2_nan(pair, bounds);
        x.lane[i] = both.x;
        x.lane[i + 1] = both.y;
      }
    }
    return x;
  }
};

}  // namespace fovea::kernels
