// Pictures of any size to a network's input, in one operator.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <fovea/preprocess.h>

#include "engine/core/tensor_view.h"

namespace fovea {

/// NormalizeImage of what ResizeImage gives: what targets make of the two that need no bytes in
/// between (TargetTraits::fuses_resize_normalize).
///
/// Inputs: pixels and table of ResizeImage.
/// Output: `to` (f32, f16 or bf16) [N, spec.height, spec.width, channels]; `channels` 0 means those
/// of spec.color.
struct ResizeNormalize {
  static constexpr std::string_view kName = "ResizeNormalize";
  PreprocessSpec spec{};
  NormalizationConstants constants{};
  std::int64_t channels = 0;
  DType to = DType::kFloat32;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("spec", self.spec);
    visit("constants", self.constants);
    visit("channels", self.channels);
    visit("to", self.to);
  }

  bool operator==(const ResizeNormalize&) const = default;
};

}  // namespace fovea
