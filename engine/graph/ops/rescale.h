// Keras's Rescaling layer.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y = x * scale + offset.  Input: x f32, any shape.  Output: as x.
struct Rescale {
  static constexpr std::string_view kName = "Rescale";
  double scale = 1.0;
  double offset = 0.0;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("scale", self.scale);
    visit("offset", self.offset);
  }

  bool operator==(const Rescale&) const = default;
};

}  // namespace fovea
