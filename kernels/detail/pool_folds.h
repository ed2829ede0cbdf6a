// What pooling folds the elements of a window into: the largest, or their sum.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/detail/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// 16 bytes of elements, or one, as registers hold them: what keeps two elements in one register
/// from being taken apart on their way.
template <typename T, int Width>
struct alignas(sizeof(T) * Width) Chunk {
  using Lane = std::conditional_t<Width == 1 || sizeof(T) == sizeof(unsigned), T, unsigned>;
  static constexpr int kLanes =
      Width * static_cast<int>(sizeof(T)) / static_cast<int>(sizeof(Lane));

  Lane lane[kLanes];
};

/// The bits of `from` as a To of the same size. CUDA's pairs are too clever for std::bit_cast.
template <typename To, typename From>
__device__ __forceinline__ To recast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof(To));
  return to;
}

__device__ __forceinline__ float larger(float best, float x) {
  return x > best || x != x ? x : best;
}

__device__ __forceinline__ __half larger(__half best, __half x) {
  return __hmax_nan(best, x);
}

__device__ __forceinline__ __nv_bfloat16 larger(__nv_bfloat16 best, __nv_bfloat16 x) {
  return __hmax_nan(best, x);
}

/// Of two pairs of T.
template <typename T>
__device__ __forceinline__ unsigned larger_pair(unsigned best, unsigned x) {
  using Pair = std::conditional_t<std::is_same_v<T, __half>, __half2, __nv_bfloat162>;
  return recast<unsigned>(__hmax2_nan(recast<Pair>(best), recast<Pair>(x)));
}

/// Folds elements into the largest, without leaving their type. Their order decides nothing but the
/// bits of a float's NaN or zero; a pair's zero is +0 if any is.
struct Largest {
  static constexpr bool kIsMean = false;

  template <typename T, int Width>
  using Value = Chunk<T, Width>;

  template <typename T, int Width>
  __device__ __forceinline__ static void fold(Chunk<T, Width>& best, const Chunk<T, Width>& x) {
    SIMT_UNROLL
    for (int i = 0; i < Chunk<T, Width>::kLanes; ++i) {
      if constexpr (std::is_same_v<typename Chunk<T, Width>::Lane, T>) {
        best.lane[i] = larger(best.lane[i], x.lane[i]);
      } else {
        best.lane[i] = larger_pair<T>(best.lane[i], x.lane[i]);
      }
    }
  }
};

/// Adds elements up in float32, one after the other.
struct Total {
  static constexpr bool kIsMean = true;

  template <typename T, int Width>
  using Value = Values<Width>;

  template <typename T, int Width>
  __device__ __forceinline__ static void fold(Values<Width>& sum, const Chunk<T, Width>& x) {
    const auto elements = recast<Packed<T, Width>>(x);
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) sum.lane[i] += to_float(elements.lane[i]);
  }
};

/// What the first element of a window is folded into.
template <typename Fold, typename T, int Width>
__device__ __forceinline__ typename Fold::template Value<T, Width> start() {
  if constexpr (Fold::kIsMean) {
    return {};
  } else {
    Packed<T, Width> lowest;
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) lowest.lane[i] = from_float<T>(-INFINITY);
    return recast<Chunk<T, Width>>(lowest);
  }
}

}  // namespace fovea::kernels
