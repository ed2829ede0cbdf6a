#include "engine/graph/ops/activations.h"

#include <cstddef>

#include "engine/graph/ops/activation.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

std::vector<TensorDesc> infer_as_input(std::span<const TensorDesc> inputs) {
  check_inputs(inputs, 1);
  check_dtype(inputs[0], DType::kFloat32, "x");
  return {inputs[0]};
}

void apply_to_all(const Activation& activation, ConstTensorView input, TensorView output) {
  const auto x = input.floats();
  const auto y = output.floats();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>(apply(activation, x[i]));
}

Activation as_activation(const Clip& clip) {
  return {.kind = ActivationKind::kClip, .lo = clip.lo, .hi = clip.hi};
}

}  // namespace

std::vector<TensorDesc> Relu::infer(std::span<const TensorDesc> inputs) const {
  return infer_as_input(inputs);
}

void Relu::evaluate(std::span<const ConstTensorView> inputs,
                    std::span<const TensorView> outputs) const {
  apply_to_all({.kind = ActivationKind::kRelu}, inputs[0], outputs[0]);
}

std::vector<TensorDesc> Clip::infer(std::span<const TensorDesc> inputs) const {
  check_activation(as_activation(*this));
  return infer_as_input(inputs);
}

void Clip::evaluate(std::span<const ConstTensorView> inputs,
                    std::span<const TensorView> outputs) const {
  apply_to_all(as_activation(*this), inputs[0], outputs[0]);
}

std::vector<TensorDesc> Tanh::infer(std::span<const TensorDesc> inputs) const {
  return infer_as_input(inputs);
}

void Tanh::evaluate(std::span<const ConstTensorView> inputs,
                    std::span<const TensorView> outputs) const {
  apply_to_all({.kind = ActivationKind::kTanh}, inputs[0], outputs[0]);
}

std::vector<TensorDesc> Sigmoid::infer(std::span<const TensorDesc> inputs) const {
  return infer_as_input(inputs);
}

void Sigmoid::evaluate(std::span<const ConstTensorView> inputs,
                       std::span<const TensorView> outputs) const {
  apply_to_all({.kind = ActivationKind::kSigmoid}, inputs[0], outputs[0]);
}

}  // namespace fovea
