// Local response normalisation across channels, as AlexNet and GoogLeNet have it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/tensor_view.h"

namespace fovea {

/// y[n,h,w,c] = x[n,h,w,c] / (bias + alpha / size * sum_j x[n,h,w,j]^2)^beta, where j goes from
/// c - floor((size-1)/2) to c + ceil((size-1)/2) as far as there are channels (ONNX and Caffe).
///
/// Input: x f32 [N,H,W,C].  Output: as x.
struct Lrn {
  static constexpr std::string_view kName = "Lrn";
  std::int64_t size = 5;  ///< channels in a window, >= 1
  double alpha = 1e-4;    ///< >= 0
  double beta = 0.75;
  double bias = 1.0;  ///< > 0

  [[nodiscard]] std::vector<TensorDesc> infer(std::span<const TensorDesc> inputs) const;
  void evaluate(std::span<const ConstTensorView> inputs, std::span<const TensorView> outputs) const;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("size", self.size);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("bias", self.bias);
  }

  bool operator==(const Lrn&) const = default;
};

}  // namespace fovea
