// The first operator of every model that takes pictures.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <fovea/preprocess.h>

#include "engine/core/tensor_view.h"

namespace fovea {

/// Every picture of a ragged batch resized and cropped as `spec` says, bit for bit as Pillow does.
///
/// Inputs: pixels u8 [capacity] or [N, capacity for each], the packed rows of the pictures one
/// after the other, wherever a row of the tensor ends; table i64 [N,3], for every picture its
/// width, height and the offset of its first byte (0, 0 and the offset of one that has been resized
/// already: see ragged_batch.h). Pictures have the channels of spec.color.
/// Output: u8 [N, spec.height, spec.width, channels].
struct ResizeImage {
  static constexpr std::string_view kName = "ResizeImage";
  PreprocessSpec spec{};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("spec", self.spec);
  }

  bool operator==(const ResizeImage&) const = default;
};

}  // namespace fovea
