// Two-dimensional convolution with everything that may be fused before and behind it.
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

/// y[n,p,q,o] = act(sum_{r,s,i} f(x[n, p*strides[0] + r*dilations[0] - pads.top, ..., i])
///                  * w[o,r,s,i] (+ residual[n,p,q,o]) (+ bias[o])),
/// zeros outside x; i runs over o's group; f is `input_activation`: kNone or kRelu.
///
/// Inputs: x f32 [N,H,W,C]; w f32 [O,R,S,C/groups], O and C divisible by groups; bias f32 [O] where
/// `bias`; residual f32 [N,P,Q,O] where `residual`, always last.
/// Output: f32 [N,P,Q,O], P = floor((H + top + bottom - (R-1)*dilation - 1) / stride) + 1, >= 1.
struct Conv2d {
  static constexpr std::string_view kName = "Conv2d";
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  Pads pads{0, 0, 0, 0};
  std::int64_t groups = 1;
  bool bias = false;
  bool residual = false;
  Activation activation{};
  std::int64_t activation_channels = 0;  ///< leading ones of O that `act` applies to; 0: all
  ActivationKind input_activation = ActivationKind::kNone;

  /// Left out of graph.json where it is none, so that files older than it read and stay the same.
  static constexpr std::array<std::string_view, 2> kOptionalAttributes{"activation_channels",
                                                                       "input_activation"};

  /// What is applied to output channel `o`.
  [[nodiscard]] Activation activation_of(std::int64_t o) const {
    return activation_channels == 0 || o < activation_channels ? activation : Activation{};
  }

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("strides", self.strides);
    visit("dilations", self.dilations);
    visit("pads", self.pads);
    visit("groups", self.groups);
    visit("bias", self.bias);
    visit("residual", self.residual);
    visit("activation", self.activation);
    visit("activation_channels", self.activation_channels);
    visit("input_activation", self.input_activation);
  }

  bool operator==(const Conv2d&) const = default;
};

}  // namespace fovea
