// Pooling windows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/graph/ops/activation.h"
#include "engine/graph/ops/window.h"

namespace fovea {

enum class PoolKind : std::uint8_t { kAverage, kMax };

/// y[n,p,q,c] = the largest x in the window; padding counts as -infinity, NaN wins.
///
/// Input: x f32 [N,H,W,C].  Output: f32 [N,P,Q,C], P = floor((H + top + bottom - kernel) / stride)
/// + 1, >= 1; every window holds at least one element of x.
struct MaxPool {
  static constexpr std::string_view kName = "MaxPool";
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> strides{1, 1};
  Pads pads = {0, 0, 0, 0};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("kernel", self.kernel);
    visit("strides", self.strides);
    visit("pads", self.pads);
  }

  bool operator==(const MaxPool&) const = default;
};

/// y[n,p,q,c] = act(the mean of x in the window); padding counts as zeros where `count_padding`,
/// else not at all (Keras "same").
///
/// Input and output as of MaxPool.
struct AveragePool {
  static constexpr std::string_view kName = "AveragePool";
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> strides{1, 1};
  Pads pads = {0, 0, 0, 0};
  bool count_padding = false;
  Activation activation{};

  /// Left out of graph.json where it is none, so that files older than it read and stay the same.
  static constexpr std::array<std::string_view, 1> kOptionalAttributes{"activation"};

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("kernel", self.kernel);
    visit("strides", self.strides);
    visit("pads", self.pads);
    visit("count_padding", self.count_padding);
    visit("activation", self.activation);
  }

  bool operator==(const AveragePool&) const = default;
};

/// The mean or the largest element of every channel of a picture.
///
/// Input: x f32 [N,H,W,C].  Output: f32 [N,C], or [N,1,1,C] where `keep_dims`.
struct GlobalPool {
  static constexpr std::string_view kName = "GlobalPool";
  PoolKind kind = PoolKind::kAverage;
  bool keep_dims = false;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("kind", self.kind);
    visit("keep_dims", self.keep_dims);
  }

  bool operator==(const GlobalPool&) const = default;
};

}  // namespace fovea
