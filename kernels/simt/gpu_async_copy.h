// Asynchronous copies under nvcc; include async_copy.h instead, which says what they do.
#pragma once

namespace simt {

__device__ __forceinline__ void copy_async(void* shared, const void* global, bool wanted) {
  const auto target = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const int bytes = wanted ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(target), "l"(global), "r"(bytes)
               : "memory");
}

__device__ __forceinline__ void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int Groups>
__device__ __forceinline__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
}

}  // namespace simt
