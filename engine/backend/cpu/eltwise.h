// Our activations in oneDNN's words.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/graph/ops/activation.h"

namespace fovea::cpu {

struct Eltwise {
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0.0F;
  float beta = 0.0F;
};

/// undef for kNone.
[[nodiscard]] inline Eltwise eltwise_of(const Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kRelu:
      return {dnnl::algorithm::eltwise_relu, 0.0F, 0.0F};
    case ActivationKind::kClip:
      return {dnnl::algorithm::eltwise_clip, activation.lo, activation.hi};
    case ActivationKind::kTanh:
      return {dnnl::algorithm::eltwise_tanh, 0.0F, 0.0F};
    case ActivationKind::kSigmoid:
      return {dnnl::algorithm::eltwise_logistic, 0.0F, 0.0F};
  }
  return {};
}

}  // namespace fovea::cpu
