#include "engine/graph/ops/dense.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// Four sums side by side, because one would wait for itself at every element.
double dot(std::span<const float> a, std::span<const float> b) {
  std::array<double, 4> sums{};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    sums[0] += static_cast<double>(a[i]) * b[i];
    sums[1] += static_cast<double>(a[i + 1]) * b[i + 1];
    sums[2] += static_cast<double>(a[i + 2]) * b[i + 2];
    sums[3] += static_cast<double>(a[i + 3]) * b[i + 3];
  }
  for (; i < a.size(); ++i) sums[0] += static_cast<double>(a[i]) * b[i];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

}  // namespace

std::vector<TensorDesc> Dense::infer(std::span<const TensorDesc> inputs) const {
  check_activation(activation);
  check_inputs(inputs, bias ? 3 : 2);
  const TensorDesc& x = inputs[0];
  const TensorDesc& w = inputs[1];
  check_dtype(x, DType::kFloat32, "x");
  check_rank(x, 2, "x");
  check_dtype(w, DType::kFloat32, "the weight");
  check_rank(w, 2, "the weight");
  check_concrete(w, "the weight");
  check_equal(w, {DType::kFloat32, {w.shape[0], x.shape[1]}}, "the weight");
  if (bias) check_equal(inputs[2], {DType::kFloat32, {w.shape[0]}}, "the bias");
  return {checked_output({DType::kFloat32, {x.shape[0], w.shape[0]}})};
}

void Dense::evaluate(std::span<const ConstTensorView> inputs,
                     std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto w = inputs[1].floats();
  const auto y = outputs[0].floats();
  const auto rows = static_cast<std::size_t>(inputs[0].dim(0));
  const auto size = static_cast<std::size_t>(inputs[0].dim(1));
  const auto features = static_cast<std::size_t>(inputs[1].dim(0));

  for (std::size_t n = 0; n < rows; ++n) {
    for (std::size_t o = 0; o < features; ++o) {
      double sum = dot(x.subspan(n * size, size), w.subspan(o * size, size));
      if (bias) sum += inputs[2].floats()[o];
      y[n * features + o] = static_cast<float>(apply(activation, sum));
    }
  }
}

}  // namespace fovea
