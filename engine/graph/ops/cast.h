// Operators that keep every value.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y = x in another element type: to float by value; from float to an integer type truncated
/// towards zero and saturated, NaN to 0.
///
/// Input: x of any type and shape.  Output: `to`, the same shape. f16 and bf16 round to nearest
/// even.
struct Cast {
  static constexpr std::string_view kName = "Cast";
  DType to = DType::kFloat32;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("to", self.to);
  }

  bool operator==(const Cast&) const = default;
};

/// y = x.  Input: x of any type and shape.  Output: as x.
struct Identity {
  static constexpr std::string_view kName = "Identity";

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& /*self*/, Visit&& /*visit*/) {}

  bool operator==(const Identity&) const = default;
};

}  // namespace fovea
