#include "engine/graph/ops/reshape.h"

#include <cstring>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Reshape::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  TensorDesc output = checked_output({x.dtype, shape});
  if (has_batch(x) != has_batch(output)) {
    throw InvalidArgument(cat("x is ",
                              to_string(x),
                              " and the output ",
                              to_string(output),
                              ": both or neither must have the symbolic batch"));
  }
  if (num_elements(with_batch(x, 1).shape) != num_elements(with_batch(output, 1).shape)) {
    throw InvalidArgument(cat("x is ",
                              to_string(x),
                              " and the output ",
                              to_string(output),
                              ": their numbers of elements differ"));
  }
  return {std::move(output)};
}

void Reshape::evaluate(std::span<const ConstTensorView> inputs,
                       std::span<const TensorView> outputs) const {
  std::memcpy(outputs[0].data, inputs[0].data, byte_size(*inputs[0].desc));
}

}  // namespace fovea
