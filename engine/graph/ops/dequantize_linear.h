// Integers back to real numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y = (x - zero_point) * scale, the difference exact, the product rounded once to float32 (ONNX).
///
/// Inputs: x i8, u8 or i32 of any shape; scale f32 [] or [1] (per tensor) or [D] with D the size of
/// `axis`; zero_point of x's type and scale's shape where `zero_point`.  Output: f32, the shape of
/// x.
struct DequantizeLinear {
  static constexpr std::string_view kName = "DequantizeLinear";
  std::int64_t axis = 0;
  bool zero_point = false;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("axis", self.axis);
    visit("zero_point", self.zero_point);
  }

  bool operator==(const DequantizeLinear&) const = default;
};

}  // namespace fovea
