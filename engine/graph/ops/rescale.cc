#include "engine/graph/ops/rescale.h"

#include <cmath>
#include <cstddef>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Rescale::infer(std::span<const TensorDesc> inputs) const {
  if (!std::isfinite(scale) || !std::isfinite(offset)) {
    throw InvalidArgument(
        cat("scale is ", scale, " and offset ", offset, ", but both must be finite"));
  }
  check_inputs(inputs, 1);
  check_dtype(inputs[0], DType::kFloat32, "x");
  return {inputs[0]};
}

void Rescale::evaluate(std::span<const ConstTensorView> inputs,
                       std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto y = outputs[0].floats();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>(x[i] * scale + offset);
}

}  // namespace fovea
