// The 16-bit float types in operators whose rules are written for float32.
//
// An operator that takes_half() has one more rule, the same for all of them: where input 0 is f16
// or bf16, so are all activations, and parameters are f32 or that type; the result is computed from
// the values as in float32 and rounded once, to nearest even. A backend may round f32 parameters to
// that type before it multiplies.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/graph/op.h"

namespace fovea {

/// f16 or bf16.
[[nodiscard]] bool is_half(DType dtype);

/// Whether the rule above holds for the operator. Operators that only move elements (Concat, Slice,
/// Reshape, Transpose) take every type anyway.
[[nodiscard]] bool takes_half(const Op& op);

/// Whether input `i` is a parameter of the operator (weights, a bias, statistics, a summand per
/// channel) and not an activation.
[[nodiscard]] bool is_parameter(const Op& op, std::span<const TensorDesc> inputs, std::size_t i);

/// infer() and evaluate() of an operator that takes_half() and whose input 0 is_half().
/// infer_half throws InvalidArgument for inputs that break the rule.
[[nodiscard]] std::vector<TensorDesc> infer_half(const Op& op, std::span<const TensorDesc> inputs);
void evaluate_half(const Op& op,
                   std::span<const ConstTensorView> inputs,
                   std::span<const TensorView> outputs);

}  // namespace fovea
