// Concatenation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// The inputs one after the other along `axis` (>= 1: the batch is never concatenated).
///
/// Inputs: one or more of one element type, equal in every other dimension.
/// Output: the same rank; dimension `axis` is the sum.
struct Concat {
  static constexpr std::string_view kName = "Concat";
  std::int64_t axis = 3;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("axis", self.axis);
  }

  bool operator==(const Concat&) const = default;
};

}  // namespace fovea
