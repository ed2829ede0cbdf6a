// The kernel dialect under a host compiler; include simt.h instead.
//
// Gives CUDA's built-in names their meaning in the emulator (emulator.h). Only what kernels use is
// here; a missing name is a compile error.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <string>

#include <cuda_runtime_api.h>

#include "kernels/simt/block.h"
#include "kernels/simt/stream.h"

// NOLINTBEGIN(bugprone-reserved-identifier, bugprone-macro-parentheses): CUDA's names
// NOLINTBEGIN(readability-identifier-naming): CUDA's names

#undef __shared__
#define __shared__ static_assert(false, "use SIMT_SHARED, whose memory is poisoned for every block")
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __forceinline__
#define __forceinline__ inline

#define SIMT_SHARED(name, ...)                                                               \
  static const char name##_key = 0;                                                          \
  auto& name =                                                                               \
      *static_cast<::simt::Identity<__VA_ARGS__>*>(::simt::running_block->shared().variable( \
          &name##_key, sizeof(::simt::Identity<__VA_ARGS__>)))
#define SIMT_DYNAMIC_SHARED(name, type) \
  type* const name = static_cast<type*>(::simt::running_block->shared().dynamic())
#define SIMT_UNROLL
#define SIMT_ROLLED

#define threadIdx (::simt::current->thread)
#define blockIdx (::simt::current->block)
#define blockDim (::simt::current->block_size)
#define gridDim (::simt::current->grid_size)

namespace simt {

/// T itself; lets a macro argument be an array type.
template <typename T>
using Identity = T;

/// Enqueues the kernel, or runs it at once on the null stream. The arguments are converted to the
/// kernel's parameters and copied.
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...),
                   dim3 grid,
                   dim3 block,
                   std::size_t shared_bytes,
                   cudaStream_t stream,
                   Arguments&&... arguments) {
  const cudaError_t status = check_launch(grid, block, shared_bytes);
  if (status != cudaSuccess) return status;
  const auto bind = [&](Parameters... parameters) {
    enqueue(stream, [=] { run_grid([=] { kernel(parameters...); }, grid, block, shared_bytes); });
  };
  bind(static_cast<Parameters>(arguments)...);
  return cudaSuccess;
}

/// Throws EmulationError where a GPU would fault.
inline void check_alignment(const void* address, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(address) % bytes == 0) return;
  throw EmulationError("an access to " + std::to_string(bytes) + " bytes is not aligned");
}

/// The T at `address`, which must be aligned to sizeof(T): 1, 2, 4, 8 or 16 bytes in one access.
template <typename T>
T load(const void* address) {
  check_alignment(address, sizeof(T));
  T value;
  std::memcpy(&value, address, sizeof(T));
  return value;
}

/// Writes the T at `address`, which must be aligned to sizeof(T).
template <typename T>
void store(void* address, const T& value) {
  check_alignment(address, sizeof(T));
  std::memcpy(address, &value, sizeof(T));
}

/// A shuffle in which this thread contributes `value` and reads lane `source`.
template <typename T>
T shuffle(unsigned mask, T value, int source) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  word = running_block->warp_operation(WarpOperation::kShuffle, mask, word, source);
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

inline int lane() {
  const Coordinates& at = *current;
  const unsigned row = at.thread.y + at.block_size.y * at.thread.z;
  return static_cast<int>((at.thread.x + at.block_size.x * row) % kWarpSize);
}

}  // namespace simt

inline void __syncthreads(const std::source_location& site = std::source_location::current()) {
  simt::running_block->barrier(site);
}

inline void __syncwarp(unsigned mask = ~0U) {
  simt::running_block->warp_operation(simt::WarpOperation::kSync, mask, 0, 0);
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source) {
  return simt::shuffle(mask, value, source & (simt::kWarpSize - 1));
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask) {
  return simt::shuffle(mask, value, simt::lane() ^ lane_mask);
}

template <typename T>
T __shfl_down_sync(unsigned mask, T value, int delta) {
  const int source = simt::lane() + delta;
  return simt::shuffle(mask, value, source < simt::kWarpSize ? source : simt::lane());
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return static_cast<unsigned>(simt::running_block->warp_operation(
      simt::WarpOperation::kBallot, mask, predicate != 0 ? 1 : 0, 0));
}

template <typename T>
T atomicAdd(T* address, T value) {
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}

inline float __fsub_rn(float a, float b) {
  return a - b;
}

inline float __fdiv_rn(float a, float b) {
  return a / b;
}

inline float rsqrtf(float x) {
  return 1.0F / std::sqrt(x);
}

inline unsigned __float_as_uint(float value) {
  return __builtin_bit_cast(unsigned, value);
}

inline float __uint_as_float(unsigned bits) {
  return __builtin_bit_cast(float, bits);
}

inline long long __double_as_longlong(double value) {
  return __builtin_bit_cast(long long, value);
}

inline double __longlong_as_double(long long bits) {
  return __builtin_bit_cast(double, bits);
}

// NOLINTEND(readability-identifier-naming)
// NOLINTEND(bugprone-reserved-identifier, bugprone-macro-parentheses)
