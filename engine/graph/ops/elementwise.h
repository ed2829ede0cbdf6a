// Element-wise operators with two inputs.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/graph/ops/activation.h"

namespace fovea {

/// y = act(a + b).
///
/// Inputs: a f32 of any shape; b f32 of the same shape, or [C] with C the last dimension of a, or
/// [1]. Output: as a.
struct Add {
  static constexpr std::string_view kName = "Add";
  Activation activation{};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("activation", self.activation);
  }

  bool operator==(const Add&) const = default;
};

/// y = a * b.  Inputs and output as of Add.
struct Mul {
  static constexpr std::string_view kName = "Mul";

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& /*self*/, Visit&& /*visit*/) {}

  bool operator==(const Mul&) const = default;
};

}  // namespace fovea
