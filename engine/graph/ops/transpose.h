// Reordering of dimensions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y's dimension d is x's dimension perm[d].
///
/// Input: x of any type, of rank perm.size(); the symbolic batch must stay first.  Output: x's
/// type.
struct Transpose {
  static constexpr std::string_view kName = "Transpose";
  std::vector<std::int64_t> perm;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("perm", self.perm);
  }

  bool operator==(const Transpose&) const = default;
};

}  // namespace fovea
