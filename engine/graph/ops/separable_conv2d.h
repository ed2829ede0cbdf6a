// A depthwise convolution and the pointwise one behind it as one operator.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/graph/ops/conv2d.h"

namespace fovea {

/// y = pointwise(depthwise(x, wd (, bd)), wp (, bp) (, residual)), each as Conv2d says. The value
/// between them is rounded to the type of x, as if it were stored.
///
/// Inputs: those of the depthwise convolution, then those of the pointwise one without its first.
/// x is f32 [N,H,W,C] or, with the types that half.h allows the parts, f16 or bf16; wd [C,R,S,1];
/// wp [O,1,1,C]. Output: [N,P,Q,O] of x's type.
struct SeparableConv2d {
  static constexpr std::string_view kName = "SeparableConv2d";
  Conv2d depthwise;  ///< C groups and outputs, no residual
  Conv2d
      pointwise;  ///< windows of one pixel, one apart, without padding, groups or input_activation

  /// The number of the depthwise convolution's inputs, and so the place of wp.
  [[nodiscard]] std::size_t depthwise_inputs() const { return depthwise.bias ? 3 : 2; }

  /// Of the value between the two.
  [[nodiscard]] TensorDesc between(std::span<const TensorDesc> inputs) const;

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("depthwise", self.depthwise);
    visit("pointwise", self.pointwise);
  }

  bool operator==(const SeparableConv2d&) const = default;
};

/// Whether the convolution has one output for each of its input's channels, of that channel alone.
[[nodiscard]] bool is_depthwise(const Conv2d& conv, const Shape& x, const Shape& weights);

/// Whether the convolution's outputs are sums over the channels of the one pixel at their place.
[[nodiscard]] bool is_pointwise(const Conv2d& conv, const Shape& weights);

}  // namespace fovea
