// Explicit borders.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/graph/ops/window.h"

namespace fovea {

/// x with `pads` rows and columns of `value` around every picture.
///
/// Input: x f32 [N,H,W,C].  Output: f32 [N, H + top + bottom, W + left + right, C].
struct Pad {
  static constexpr std::string_view kName = "Pad";
  Pads pads = {0, 0, 0, 0};
  float value = 0.0F;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("pads", self.pads);
    visit("value", self.value);
  }

  bool operator==(const Pad&) const = default;
};

}  // namespace fovea
