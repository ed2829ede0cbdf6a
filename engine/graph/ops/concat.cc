#include "engine/graph/ops/concat.h"

#include <cstddef>
#include <cstring>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Concat::infer(std::span<const TensorDesc> inputs) const {
  require(!inputs.empty(), "has no inputs, but takes at least one");
  check_inputs(inputs, inputs.size());
  TensorDesc output = inputs[0];
  check_axis(axis, output, "input 0");
  const auto d = static_cast<std::size_t>(axis);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    TensorDesc aligned = inputs[i];
    if (aligned.shape.size() == inputs[0].shape.size()) aligned.shape[d] = inputs[0].shape[d];
    if (aligned != inputs[0]) {
      throw InvalidArgument(cat("input ",
                                i,
                                " is ",
                                to_string(inputs[i]),
                                " and input 0 is ",
                                to_string(inputs[0]),
                                ": they may differ only in dimension ",
                                axis));
    }
    output.shape[d] += inputs[i].shape[d];
  }
  return {checked_output(std::move(output))};
}

void Concat::evaluate(std::span<const ConstTensorView> inputs,
                      std::span<const TensorView> outputs) const {
  const auto d = static_cast<std::size_t>(axis);
  const TensorDesc& desc = *outputs[0].desc;
  std::size_t blocks = 1;
  for (std::size_t i = 0; i < d; ++i) blocks *= static_cast<std::size_t>(desc.shape[i]);

  std::byte* y = outputs[0].data;
  for (std::size_t block = 0; block < blocks; ++block) {
    for (const ConstTensorView& input : inputs) {
      const std::size_t bytes = byte_size(*input.desc) / blocks;
      std::memcpy(y, input.data + block * bytes, bytes);
      y += bytes;
    }
  }
}

}  // namespace fovea
