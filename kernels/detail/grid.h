// How kernels are laid over their work, and when pointers allow vector accesses.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>

#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// Threads of a block where a kernel has no reason for another number.
inline constexpr int kBlockThreads = 256;

inline constexpr std::int64_t kMaxItems = std::numeric_limits<std::int32_t>::max();

/// Blocks of kBlockThreads for one thread per item; items in [1, kMaxItems].
inline dim3 blocks_for(std::int64_t items) {
  return dim3(static_cast<unsigned>((items + kBlockThreads - 1) / kBlockThreads));
}

/// Launches a kernel that has one thread per item; items in [1, kMaxItems].
template <typename... Parameters, typename... Arguments>
cudaError_t launch_items(void (*kernel)(Parameters...),
                         std::int64_t items,
                         cudaStream_t stream,
                         Arguments&&... arguments) {
  return simt::launch(kernel,
                      blocks_for(items),
                      dim3(kBlockThreads),
                      0,
                      stream,
                      std::forward<Arguments>(arguments)...);
}

/// This thread's number in a grid of blocks_for().
__device__ __forceinline__ std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * kBlockThreads + static_cast<int>(threadIdx.x);
}

/// dividend / divisor, rounded up; both positive.
constexpr int ceil_of(int dividend, int divisor) {
  return dividend / divisor + (dividend % divisor != 0 ? 1 : 0);
}

/// Whether the address is a multiple of `bytes`.
inline bool aligned_to(const void* address, std::uintptr_t bytes) {
  return reinterpret_cast<std::uintptr_t>(address) % bytes == 0;
}

}  // namespace fovea::kernels
