// Element-wise operators with one input.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y = max(x, 0).  Input: x f32, any shape.  Output: as x.
struct Relu {
  static constexpr std::string_view kName = "Relu";

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& /*self*/, Visit&& /*visit*/) {}

  bool operator==(const Relu&) const = default;
};

/// y = min(max(x, lo), hi), lo <= hi; relu6 is lo 0, hi 6.  Input: x f32, any shape.  Output: as x.
struct Clip {
  static constexpr std::string_view kName = "Clip";
  float lo = 0.0F;
  float hi = 6.0F;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("lo", self.lo);
    visit("hi", self.hi);
  }

  bool operator==(const Clip&) const = default;
};

/// y = tanh(x).  Input: x f32, any shape.  Output: as x.
struct Tanh {
  static constexpr std::string_view kName = "Tanh";

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& /*self*/, Visit&& /*visit*/) {}

  bool operator==(const Tanh&) const = default;
};

/// y = 1 / (1 + exp(-x)).  Input: x f32, any shape.  Output: as x.
struct Sigmoid {
  static constexpr std::string_view kName = "Sigmoid";

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& /*self*/, Visit&& /*visit*/) {}

  bool operator==(const Sigmoid&) const = default;
};

}  // namespace fovea
