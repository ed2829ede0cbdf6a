#include "engine/graph/ops/elementwise.h"

#include <cstddef>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

std::vector<TensorDesc> infer_as_first(std::span<const TensorDesc> inputs) {
  check_inputs(inputs, 2);
  const TensorDesc& a = inputs[0];
  const TensorDesc& b = inputs[1];
  check_dtype(a, DType::kFloat32, "a");
  check_dtype(b, DType::kFloat32, "b");
  const bool per_channel =
      b.shape.size() == 1 && !a.shape.empty() && b.shape[0] == a.shape.back() && !has_batch(b);
  if (a != b && !per_channel && b.shape != Shape{1}) {
    throw InvalidArgument(cat("a is ",
                              to_string(a),
                              " and b is ",
                              to_string(b),
                              ": b must be as a, or [C] of a's last dimension, or [1]"));
  }
  return {a};
}

/// y[i] = f(a[i], b[i]), b repeated: its size divides a's, whichever of its three forms it has.
template <typename Function>
void combine(std::span<const ConstTensorView> inputs, TensorView output, Function f) {
  const auto a = inputs[0].floats();
  const auto b = inputs[1].floats();
  const auto y = output.floats();
  for (std::size_t row = 0; row < a.size(); row += b.size()) {
    for (std::size_t i = 0; i < b.size(); ++i) {
      const double left = a[row + i];
      const double right = b[i];
      y[row + i] = static_cast<float>(f(left, right));
    }
  }
}

}  // namespace

std::vector<TensorDesc> Add::infer(std::span<const TensorDesc> inputs) const {
  check_activation(activation);
  return infer_as_first(inputs);
}

void Add::evaluate(std::span<const ConstTensorView> inputs,
                   std::span<const TensorView> outputs) const {
  combine(inputs, outputs[0], [this](double a, double b) { return apply(activation, a + b); });
}

std::vector<TensorDesc> Mul::infer(std::span<const TensorDesc> inputs) const {
  return infer_as_first(inputs);
}

void Mul::evaluate(std::span<const ConstTensorView> inputs,
                   std::span<const TensorView> outputs) const {
  combine(inputs, outputs[0], [](double a, double b) { return a * b; });
}

}  // namespace fovea
