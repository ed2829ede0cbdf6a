#include "engine/graph/ops/lrn.h"

#include <algorithm>
#include <cmath>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Lrn::infer(std::span<const TensorDesc> inputs) const {
  if (size < 1 || size > kMaxDim) {
    throw InvalidArgument(
        cat("the window is ", size, " channels, but must be from 1 to ", kMaxDim));
  }
  if (!std::isfinite(alpha) || alpha < 0.0) {
    throw InvalidArgument(cat("alpha is ", alpha, ", but must be finite and >= 0"));
  }
  if (!std::isfinite(beta)) throw InvalidArgument(cat("beta is ", beta, ", but must be finite"));
  if (!std::isfinite(bias) || bias <= 0.0) {
    throw InvalidArgument(cat("bias is ", bias, ", but must be finite and > 0"));
  }
  check_inputs(inputs, 1);
  check_picture(inputs[0], "x");
  return {inputs[0]};
}

void Lrn::evaluate(std::span<const ConstTensorView> inputs,
                   std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto y = outputs[0].floats();
  const std::int64_t channels = inputs[0].dim(3);
  const std::int64_t before = (size - 1) / 2;
  const std::int64_t after = size - 1 - before;
  const double scale = alpha / static_cast<double>(size);

  for (std::size_t pixel = 0; pixel < x.size(); pixel += static_cast<std::size_t>(channels)) {
    for (std::int64_t c = 0; c < channels; ++c) {
      double sum = 0.0;
      const std::int64_t last = std::min(c + after, channels - 1);
      for (std::int64_t j = std::max<std::int64_t>(c - before, 0); j <= last; ++j) {
        const double value = x[pixel + static_cast<std::size_t>(j)];
        sum += value * value;
      }
      const std::size_t at = pixel + static_cast<std::size_t>(c);
      y[at] = static_cast<float>(x[at] / std::pow(bias + scale * sum, beta));
    }
  }
}

}  // namespace fovea
