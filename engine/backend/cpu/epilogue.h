// What happens to the sums of a convolution before they are stored.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/ops/activation.h"

namespace fovea::cpu {

/// min(max(y + bias + residual, low), high), in float32; Element is that of the tensors. Each
/// filter has a bias and bounds: where several convolutions were joined, some may have bounds and
/// others none.
template <typename Element>
struct EpilogueOf {
  const float* bias = nullptr;        ///< a register's floats for each register of filters
  const float* low = nullptr;         ///< the same
  const float* high = nullptr;        ///< the same
  const Element* residual = nullptr;  ///< null, or of the output's form, from the same channel on

  /// Goes on to the filters behind so many; the residual stays.
  void skip(std::int64_t filters) {
    bias += filters;
    low += filters;
    high += filters;
  }
};

using Epilogue = EpilogueOf<float>;

/// The bounds that an activation is, or nothing where it is more than that.
[[nodiscard]] inline std::optional<std::pair<float, float>> bounds_of(
    const Activation& activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation.kind) {
    case ActivationKind::kNone:
      return {{-kInfinity, kInfinity}};
    case ActivationKind::kRelu:
      return {{0.0F, kInfinity}};
    case ActivationKind::kClip:
      return {{activation.lo, activation.hi}};
    default:
      return std::nullopt;
  }
}

/// The same for an activation that is bounds; throws Error (internal) for others.
[[nodiscard]] inline std::pair<float, float> require_bounds(const Activation& activation) {
  if (const auto bounds = bounds_of(activation)) return *bounds;
  throw Error(ErrorCode::kInternal, "an activation is more than bounds");
}

}  // namespace fovea::cpu
