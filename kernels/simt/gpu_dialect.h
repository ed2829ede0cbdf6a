// The kernel dialect under nvcc; include simt.h instead.
#pragma once

#include <cstddef>

#include <cuda_runtime_api.h>

// NOLINTBEGIN(readability-identifier-naming): the dialect's own prefix
#define SIMT_SHARED(name, ...) __shared__ __align__(16)::simt::Identity<__VA_ARGS__> name
#define SIMT_DYNAMIC_SHARED(name, type)                                 \
  extern __shared__ __align__(16) unsigned char simt_dynamic_shared_[]; \
  type* const name = reinterpret_cast<type*>(simt_dynamic_shared_)
#define SIMT_UNROLL _Pragma("unroll")
#define SIMT_ROLLED _Pragma("unroll 1")

// NOLINTEND(readability-identifier-naming)

namespace simt {

/// T itself; lets a macro argument be an array type.
template <typename T>
using Identity = T;

/// Enqueues the kernel. The arguments are converted to the kernel's parameters and copied.
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...),
                   dim3 grid,
                   dim3 block,
                   std::size_t shared_bytes,
                   cudaStream_t stream,
                   Arguments&&... arguments) {
  const auto enqueue = [&](Parameters... parameters) {
    void* addresses[] = {static_cast<void*>(&parameters)...};
    return cudaLaunchKernel(
        reinterpret_cast<const void*>(kernel), grid, block, addresses, shared_bytes, stream);
  };
  return enqueue(static_cast<Parameters>(arguments)...);
}

/// The T at `address`, which must be aligned to sizeof(T): 1, 2, 4, 8 or 16 bytes in one access.
template <typename T>
__device__ __forceinline__ T load(const void* address) {
  return *static_cast<const T*>(address);
}

/// Writes the T at `address`, which must be aligned to sizeof(T).
template <typename T>
__device__ __forceinline__ void store(void* address, const T& value) {
  *static_cast<T*>(address) = value;
}

}  // namespace simt
