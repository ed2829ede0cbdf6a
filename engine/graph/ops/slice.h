// A part of a tensor.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// Elements [begin, begin + size) along `axis` (>= 1: a batch is never cut).
///
/// Input: one tensor; 0 <= begin, 1 <= size, and begin + size is at most its dimension `axis`.
/// Output: the same rank; dimension `axis` is `size`.
struct Slice {
  static constexpr std::string_view kName = "Slice";
  std::int64_t axis = 3;
  std::int64_t begin = 0;
  std::int64_t size = 1;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("axis", self.axis);
    visit("begin", self.begin);
    visit("size", self.size);
  }

  bool operator==(const Slice&) const = default;
};

}  // namespace fovea
