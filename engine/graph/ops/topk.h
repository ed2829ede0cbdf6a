// The largest elements of every row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// The k largest of every row, best first; equal values: lower index first; NaN comes last.
///
/// Input: x f32 [N,C], 1 <= k <= C.  Outputs: values f32 [N,k]; indices i32 [N,k].
struct TopK {
  static constexpr std::string_view kName = "TopK";
  std::int64_t k = 5;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("k", self.k);
  }

  bool operator==(const TopK&) const = default;
};

}  // namespace fovea
