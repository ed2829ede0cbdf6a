// The element-wise function that a kernel applies before it stores a result.
#pragma once

#include <cstdint>

namespace fovea::kernels {

enum class ActivationKind : std::uint8_t { kNone, kRelu, kClip, kTanh, kSigmoid };

/// y = x; max(x, 0); min(max(x, lo), hi) with lo <= hi; tanh(x); 1 / (1 + exp(-x)). NaN stays NaN.
struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  float lo = 0.0F;  ///< kClip only
  float hi = 0.0F;  ///< kClip only
};

}  // namespace fovea::kernels
