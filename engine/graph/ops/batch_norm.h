// Batch normalisation with fixed statistics.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y[..,c] = (x[..,c] - mean[c]) / sqrt(variance[c] + epsilon) * gamma[c] + beta[c].
///
/// Inputs: x f32 [...,C]; gamma, beta, mean, variance f32 [C].  Output: as x.
struct BatchNorm {
  static constexpr std::string_view kName = "BatchNorm";
  double epsilon = 1e-3;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("epsilon", self.epsilon);
  }

  bool operator==(const BatchNorm&) const = default;
};

}  // namespace fovea
