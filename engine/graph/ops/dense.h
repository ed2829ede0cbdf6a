// Fully connected layer.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/graph/ops/activation.h"

namespace fovea {

/// y[n,o] = act(sum_i x[n,i] * w[o,i] (+ bias[o])).
///
/// Inputs: x f32 [N,I]; w f32 [O,I]; bias f32 [O] where `bias`.  Output: f32 [N,O].
struct Dense {
  static constexpr std::string_view kName = "Dense";
  bool bias = false;
  Activation activation{};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("bias", self.bias);
    visit("activation", self.activation);
  }

  bool operator==(const Dense&) const = default;
};

}  // namespace fovea
