// Tensor core instructions of the emulator; include tensor_core.h instead, which says what they do.
//
// The product itself is in tensor_core.cc: it reads and writes what other lanes hold in registers,
// which the race detector must not take for memory.
#pragma once

#include <array>
#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kernels/simt/emulated_dialect.h"

namespace simt {

inline constexpr bool kTensorCores = true;

inline void refuse_device() {
  throw EmulationError("the device has no tensor cores");
}

/// What a lane brings to mma(); the sums are replaced.
struct ProductLane {
  float sums[4];
  unsigned a[4];
  unsigned b[2];
};

/// What a lane brings to load_matrices(), and the rows that it gets words of.
struct MatrixLane {
  const std::byte* row;
  std::array<const std::byte*, 4> rows;
};

// Collectives of a warp, see Block::warp_collective.
void multiply_half(const WarpLanes& lanes);
void multiply_bfloat16(const WarpLanes& lanes);
void multiply_tf32(const WarpLanes& lanes);
void exchange_rows(const WarpLanes& lanes);

template <typename T>
void mma(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  static_assert(std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16> ||
                std::is_same_v<T, float>);
  constexpr Collective kMultiply = std::is_same_v<T, __half>          ? multiply_half
                                   : std::is_same_v<T, __nv_bfloat16> ? multiply_bfloat16
                                                                      : multiply_tf32;
  ProductLane lane{{sums[0], sums[1], sums[2], sums[3]}, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  running_block->warp_collective(kMultiply, &lane);
  for (int i = 0; i < 4; ++i) sums[i] = lane.sums[i];
}

inline void load_matrices(unsigned (&words)[4], const void* row) {
  check_alignment(row, 16);
  MatrixLane mine{static_cast<const std::byte*>(row), {}};
  running_block->warp_collective(exchange_rows, &mine);
  const std::ptrdiff_t word = lane() % 4;
  for (std::size_t m = 0; m < 4; ++m) words[m] = load<unsigned>(mine.rows[m] + word * 4);
}

inline unsigned to_tf32(float x) {
  constexpr unsigned kDropped = 0x1fff;  // bits of fraction beyond ten
  if (x != x) return 0x7fff'ffff;
  if (std::isinf(x)) return __builtin_bit_cast(unsigned, x);
  return (__builtin_bit_cast(unsigned, x) + (kDropped + 1) / 2) & ~kDropped;
}

}  // namespace simt
