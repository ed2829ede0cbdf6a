// Real numbers to integers on a grid.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y = saturate(round(x / scale) + zero_point), the quotient rounded once to float32, then to the
/// nearest integer, ties to even; NaN to the zero point (ONNX leaves NaN open).
///
/// Inputs: x f32 of any shape; scale f32 and zero_point i8 or u8 of scale's shape: [] or [1] (per
/// tensor) or [D] with D the size of `axis`.  Output: zero_point's type, the shape of x.
struct QuantizeLinear {
  static constexpr std::string_view kName = "QuantizeLinear";
  std::int64_t axis = 0;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("axis", self.axis);
  }

  bool operator==(const QuantizeLinear&) const = default;
};

}  // namespace fovea
