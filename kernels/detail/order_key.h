// One integer that orders a row's elements as top-k does.
#pragma once

#include <cstdint>

#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// Larger for the better element; unique in a row; never 0, which stands for no element.
using OrderKey = std::uint64_t;

/// The larger value is better; of equal ones (0 and -0 are) the lower index; NaN is worst.
__device__ __forceinline__ OrderKey order_key(float value, std::uint32_t index) {
  // A float's bits order as integers where the sign bit is clear, in reverse where it is set.
  constexpr std::uint32_t kSign = 0x8000'0000U;
  const std::uint32_t bits = value == 0.0F ? 0 : __float_as_uint(value);
  const std::uint32_t ordered = (bits & kSign) != 0 ? ~bits : bits | kSign;
  const std::uint32_t rank = value == value ? ordered : 0;
  return static_cast<OrderKey>(rank) << 32 | (0xffff'ffffU - index);
}

__device__ __forceinline__ std::uint32_t index_of(OrderKey key) {
  return 0xffff'ffffU - static_cast<std::uint32_t>(key);
}

}  // namespace fovea::kernels
