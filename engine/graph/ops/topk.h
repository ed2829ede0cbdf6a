// The largest elements of every row.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// The k largest of every row, best first; equal values: lower index first; NaN comes last.
/// Where `softmax`, their values are the probabilities: exp(x[i] - max(x)) / sum_j exp(x[j] -
/// max(x)); a row with NaN or +infinity then has no numbers as values, in the same order.
///
/// Input: x f32 [N,C], 1 <= k <= C.  Outputs: values f32 [N,k]; indices i32 [N,k].
struct TopK {
  static constexpr std::string_view kName = "TopK";
  std::int64_t k = 5;
  bool softmax = false;

  /// Left out of graph.json where it is none, so that files older than it read and stay the same.
  static constexpr std::array<std::string_view, 1> kOptionalAttributes{"softmax"};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("k", self.k);
    visit("softmax", self.softmax);
  }

  bool operator==(const TopK&) const = default;
};

}  // namespace fovea
