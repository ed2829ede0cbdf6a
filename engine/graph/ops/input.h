// A graph input.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// A value that the caller binds; its description is fixed by whoever built the graph.
struct Input {
  static constexpr std::string_view kName = "Input";
  TensorDesc desc;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;

  /// Inputs are bound, never evaluated: throws Error (internal).
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("desc", self.desc);
  }

  bool operator==(const Input&) const = default;
};

}  // namespace fovea
