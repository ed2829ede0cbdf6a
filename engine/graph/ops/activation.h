// The element-wise function that a producing operator may apply to its result.
#pragma once

#include <cstdint>

namespace fovea {

/// What is applied to every element of a result before it is stored.
enum class ActivationKind : std::uint8_t { kNone, kRelu, kClip, kTanh, kSigmoid };

struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  float lo = 0.0F;  ///< only for kClip
  float hi = 0.0F;  ///< only for kClip

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("kind", self.kind);
    visit("lo", self.lo);
    visit("hi", self.hi);
  }

  bool operator==(const Activation&) const = default;
};

/// The activation's value at x, in double; NaN stays NaN.
[[nodiscard]] double apply(const Activation& activation, double x);

}  // namespace fovea
