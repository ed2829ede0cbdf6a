// Bytes of a picture to a network's input.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <fovea/preprocess.h>

#include "engine/core/tensor_view.h"

namespace fovea {

/// Applies NormalizationConstants per channel (see <fovea/preprocess.h>), in float32, rounded after
/// every step, and rounds those floats once, to nearest even, to the type `to`; channels from C up
/// to `channels` are zero.
///
/// Input: u8 [N,H,W,C], C 1 or 3.  Output: `to` (f32, f16 or bf16) [N,H,W,channels]; `channels` 0
/// means C.
struct NormalizeImage {
  static constexpr std::string_view kName = "NormalizeImage";
  NormalizationConstants constants{};
  std::int64_t channels = 0;
  DType to = DType::kFloat32;

  /// Left out of graph.json where it is f32, so that files older than it read and stay the same.
  static constexpr std::array<std::string_view, 1> kOptionalAttributes{"to"};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("constants", self.constants);
    visit("channels", self.channels);
    visit("to", self.to);
  }

  bool operator==(const NormalizeImage&) const = default;
};

}  // namespace fovea
