// The same elements under another shape.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// The elements of x in row-major order, as `shape`; Flatten is a Reshape to {kBatch, H*W*C}.
///
/// Input: x of any type; it has the symbolic batch exactly where shape[0] is kBatch, or both are
/// concrete. Output: x's type, `shape`; the number of elements (per picture) must not change.
struct Reshape {
  static constexpr std::string_view kName = "Reshape";
  Shape shape;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("shape", self.shape);
  }

  bool operator==(const Reshape&) const = default;
};

}  // namespace fovea
