// Weights and other values that are known before the first run.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/buffer.h"
#include "engine/core/tensor_view.h"

namespace fovea {

/// A tensor whose bytes the graph shares. The data is null for a parameter that a builder declared
/// and that no weights have been loaded into yet. No inputs; output: `desc`, of concrete shape.
struct Constant {
  static constexpr std::string_view kName = "Constant";
  TensorDesc desc;
  std::shared_ptr<const Buffer> data;

  /// Where the elements lie in the data: elements between neighbours along every dimension, a
  /// permutation of the row-major ones. Empty: row-major. Not an attribute: files hold row-major
  /// data, and only passes make others.
  Shape strides{};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;

  /// Throws weights/missing where there is no data.
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("desc", self.desc);
  }

  /// The elements, row-major; there must be data.
  [[nodiscard]] PinnedBytes read() const;

  /// `strides`, or the row-major ones.
  [[nodiscard]] Shape element_strides() const;

  /// As Buffer::identity: equal only for equal elements in an equal order; there must be data.
  [[nodiscard]] std::string key() const;

  /// Equal descriptions and equal content.
  bool operator==(const Constant& other) const;
};

}  // namespace fovea
