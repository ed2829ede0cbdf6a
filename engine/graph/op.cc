#include "engine/graph/op.h"

#include "engine/graph/half.h"

namespace fovea {

std::vector<TensorDesc> infer(const Op& op, std::span<const TensorDesc> inputs) {
  if (!inputs.empty() && is_half(inputs[0].dtype) && takes_half(op)) return infer_half(op, inputs);
  return std::visit([&](const auto& o) { return o.infer(inputs); }, op);
}

void evaluate(const Op& op,
              std::span<const ConstTensorView> inputs,
              std::span<const TensorView> outputs) {
  if (!inputs.empty() && is_half(inputs[0].desc->dtype) && takes_half(op)) {
    return evaluate_half(op, inputs, outputs);
  }
  std::visit([&](const auto& o) { o.evaluate(inputs, outputs); }, op);
}

}  // namespace fovea
