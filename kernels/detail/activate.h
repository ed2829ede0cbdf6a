// The activations in device code.
#pragma once

#include "kernels/activation.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// The activation's value at x. All threads of a launch have the same kind, so no warp diverges.
__device__ __forceinline__ float activate(const Activation& activation, float x) {
  switch (activation.kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return x <= 0.0F ? 0.0F : x;
    case ActivationKind::kClip:
      return x < activation.lo ? activation.lo : x > activation.hi ? activation.hi : x;
    case ActivationKind::kTanh:
      return tanhf(x);
    case ActivationKind::kSigmoid:
      return 1.0F / (1.0F + expf(-x));
  }
  return x;
}

}  // namespace fovea::kernels
