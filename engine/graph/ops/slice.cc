#include "engine/graph/ops/slice.h"

#include <cstddef>
#include <cstring>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Slice::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  check_axis(axis, inputs[0], "x");
  TensorDesc output = inputs[0];
  std::int64_t& dimension = output.shape[static_cast<std::size_t>(axis)];
  // No sum of attributes: a damaged file may hold any 64 bits.
  if (begin < 0 || size < 1 || begin > dimension || size > dimension - begin) {
    throw InvalidArgument(cat("the slice has ",
                              size,
                              " elements from ",
                              begin,
                              " on, but x is ",
                              to_string(inputs[0]),
                              ": it must lie inside the ",
                              dimension,
                              " of dimension ",
                              axis));
  }
  dimension = size;
  return {std::move(output)};
}

void Slice::evaluate(std::span<const ConstTensorView> inputs,
                     std::span<const TensorView> outputs) const {
  const Shape& shape = inputs[0].desc->shape;
  const auto d = static_cast<std::size_t>(axis);
  std::size_t blocks = 1;
  for (std::size_t i = 0; i < d; ++i) blocks *= static_cast<std::size_t>(shape[i]);
  const std::size_t from_bytes = byte_size(*inputs[0].desc) / blocks;
  const std::size_t bytes = byte_size(*outputs[0].desc) / blocks;
  const std::size_t skipped =
      from_bytes / static_cast<std::size_t>(shape[d]) * static_cast<std::size_t>(begin);

  for (std::size_t block = 0; block < blocks; ++block) {
    std::memcpy(
        outputs[0].data + block * bytes, inputs[0].data + block * from_bytes + skipped, bytes);
  }
}

}  // namespace fovea
