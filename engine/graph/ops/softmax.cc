#include "engine/graph/ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Softmax::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  check_dtype(inputs[0], DType::kFloat32, "x");
  (void)last_dim(inputs[0], "x");
  return {inputs[0]};
}

void Softmax::evaluate(std::span<const ConstTensorView> inputs,
                       std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto y = outputs[0].floats();
  const auto size = static_cast<std::size_t>(inputs[0].desc->shape.back());
  std::vector<double> terms(size);

  for (std::size_t row = 0; row < x.size(); row += size) {
    // A NaN may be missed here: it reaches every element through the sum.
    const double largest = *std::ranges::max_element(x.subspan(row, size));
    double sum = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      terms[i] = std::exp(x[row + i] - largest);
      sum += terms[i];
    }
    for (std::size_t i = 0; i < size; ++i) y[row + i] = static_cast<float>(terms[i] / sum);
  }
}

}  // namespace fovea
