#include "engine/graph/ops/batch_norm.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> BatchNorm::infer(std::span<const TensorDesc> inputs) const {
  constexpr std::array<std::string_view, 5> kNames{"x", "gamma", "beta", "mean", "variance"};
  if (!std::isfinite(epsilon) || epsilon < 0.0) {
    throw InvalidArgument(cat("epsilon is ", epsilon, ", but must be finite and >= 0"));
  }
  check_inputs(inputs, kNames.size());
  check_dtype(inputs[0], DType::kFloat32, kNames[0]);
  const TensorDesc per_channel{DType::kFloat32, {last_dim(inputs[0], kNames[0])}};
  for (std::size_t i = 1; i < kNames.size(); ++i) check_equal(inputs[i], per_channel, kNames[i]);
  return {inputs[0]};
}

void BatchNorm::evaluate(std::span<const ConstTensorView> inputs,
                         std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto gamma = inputs[1].floats();
  const auto beta = inputs[2].floats();
  const auto mean = inputs[3].floats();
  const auto variance = inputs[4].floats();
  const auto y = outputs[0].floats();
  const std::size_t channels = gamma.size();
  std::vector<double> deviation(channels);
  for (std::size_t c = 0; c < channels; ++c) deviation[c] = std::sqrt(variance[c] + epsilon);

  for (std::size_t row = 0; row < x.size(); row += channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      const double centred = static_cast<double>(x[row + c]) - mean[c];
      y[row + c] = static_cast<float>(centred / deviation[c] * gamma[c] + beta[c]);
    }
  }
}

}  // namespace fovea
