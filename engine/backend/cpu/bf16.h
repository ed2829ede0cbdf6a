// bf16: the upper half of a float32.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace fovea::cpu {

/// An element of a bf16 tensor.
enum class Bf16 : std::uint16_t {};

[[nodiscard]] inline float from_bf16(Bf16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U);
}

/// To the nearest, of two to the even one; NaN stays NaN.
[[nodiscard]] inline Bf16 to_bf16(float value) {
  constexpr std::uint32_t kQuiet = 0x0040'0000U;
  constexpr std::uint32_t kHalf = 0x7FFFU;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<Bf16>((bits | kQuiet) >> 16U);
  return static_cast<Bf16>((bits + kHalf + (bits >> 16U & 1U)) >> 16U);
}

}  // namespace fovea::cpu
