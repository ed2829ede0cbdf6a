// The points at which F(4, 3), F(3, 4) and F(2, 5) interpolate, and the matrices that follow from
// them.
//
// 0, +-3/4, +-3/2 and infinity instead of the usual 0, +-1, +-2 and infinity: every constant is
// exact in float32, and the largest error of a sum over 256 channels is a quarter of theirs on
// random tiles (docs/measurements/2026-11-25-winograd.md).
#pragma once

#include <array>
#include <cstddef>

namespace fovea::cpu::winograd {

inline constexpr double kNear = 0.75;
inline constexpr double kFar = 1.5;

/// Row i of G applied to the taps: their polynomial at point i, divided by the product of the
/// point's distances from the others; the highest coefficient at infinity.
template <std::size_t Count>
[[nodiscard]] constexpr std::array<double, 6> transform_taps(
    const std::array<double, Count>& taps) {
  constexpr std::array<double, 5> kPoints{0.0, kNear, -kNear, kFar, -kFar};
  std::array<double, 6> out{};
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    const double x = kPoints[i];
    double distances = 1.0;
    for (std::size_t j = 0; j < kPoints.size(); ++j) {
      if (j != i) distances *= x - kPoints[j];
    }
    double value = taps[Count - 1];
    for (std::size_t t = Count - 1; t > 0; --t) value = taps[t - 1] + x * value;
    out[i] = value / distances;
  }
  out[5] = taps[Count - 1];
  return out;
}

}  // namespace fovea::cpu::winograd
