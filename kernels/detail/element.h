// Elements of every type as float32 values in registers, and which C++ type stands for which.
#pragma once

#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kernels/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// How many elements the widest access of a thread moves: 16 bytes.
template <typename T>
inline constexpr int kWidest = 16 / static_cast<int>(sizeof(T));

/// Width values of a thread.
template <int Width>
struct Values {
  float lane[Width];
};

/// Width elements as they lie in memory, moved by one access.
template <typename T, int Width>
struct alignas(sizeof(T) * Width) Packed {
  T lane[Width];
};

__device__ __forceinline__ float to_float(float x) {
  return x;
}

__device__ __forceinline__ float to_float(__half x) {
  return __half2float(x);
}

__device__ __forceinline__ float to_float(__nv_bfloat16 x) {
  return __bfloat162float(x);
}

/// The T that is nearest to x, the even one of two.
template <typename T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (std::is_same_v<T, __half>) {
    return __float2half_rn(x);
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16_rn(x);
  } else {
    return x;
  }
}

template <typename T, int Width>
__device__ __forceinline__ Values<Width> values_of(const Packed<T, Width>& packed) {
  Values<Width> values;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) values.lane[i] = to_float(packed.lane[i]);
  return values;
}

template <typename T, int Width>
__device__ __forceinline__ Packed<T, Width> packed_of(const Values<Width>& values) {
  Packed<T, Width> packed;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) packed.lane[i] = from_float<T>(values.lane[i]);
  return packed;
}

/// The Width elements at `address`, which is aligned to all of them: at most kWidest<T>.
template <int Width, typename T>
__device__ __forceinline__ Values<Width> load_values(const T* address) {
  return values_of(simt::load<Packed<T, Width>>(address));
}

/// Writes Width elements to `address`, which is aligned to all of them: at most kWidest<T>.
template <int Width, typename T>
__device__ __forceinline__ void store_values(T* address, const Values<Width>& values) {
  simt::store(address, packed_of<T>(values));
}

/// What `launch` returns for the C++ type of these elements, which it gets as the type of an empty
/// argument: with_element(type, [&]<typename T>(std::type_identity<T>) { ... }).
template <typename Launch>
cudaError_t with_element(ElementType type, const Launch& launch) {
  switch (type) {
    case ElementType::kFloat32:
      return launch(std::type_identity<float>{});
    case ElementType::kFloat16:
      return launch(std::type_identity<__half>{});
    case ElementType::kBFloat16:
      return launch(std::type_identity<__nv_bfloat16>{});
  }
  return cudaErrorInvalidValue;
}

}  // namespace fovea::kernels
