#include "engine/graph/ops/activation.h"

#include <cmath>

namespace fovea {

double apply(const Activation& activation, double x) {
  switch (activation.kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return x > 0.0 || std::isnan(x) ? x : 0.0;
    case ActivationKind::kClip: {
      const double lo = activation.lo;
      const double hi = activation.hi;
      return x < lo ? lo : x > hi ? hi : x;
    }
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSigmoid:
      return 1.0 / (1.0 + std::exp(-x));
  }
  return x;
}

}  // namespace fovea
