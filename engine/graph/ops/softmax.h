// Softmax over the last dimension.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y[i] = exp(x[i] - max(x)) / sum_j exp(x[j] - max(x)) over the last dimension.
///
/// Input: x f32, rank >= 1.  Output: as x.
struct Softmax {
  static constexpr std::string_view kName = "Softmax";

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& /*self*/, Visit&& /*visit*/) {}

  bool operator==(const Softmax&) const = default;
};

}  // namespace fovea
