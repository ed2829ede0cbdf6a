#include "engine/graph/ops/transpose.h"

#include <cstddef>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"
#include "engine/graph/ops/strided_copy.h"

namespace fovea {

std::vector<TensorDesc> Transpose::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  check_rank(x, perm.size(), "x");
  std::vector<bool> seen(perm.size(), false);
  TensorDesc output{x.dtype, {}};
  for (const std::int64_t source : perm) {
    if (source < 0 || source >= static_cast<std::int64_t>(perm.size()) ||
        seen[static_cast<std::size_t>(source)]) {
      throw InvalidArgument(cat(
          "perm names dimension ", source, " of x ", to_string(x), ": it must name each one once"));
    }
    seen[static_cast<std::size_t>(source)] = true;
    output.shape.push_back(x.shape[static_cast<std::size_t>(source)]);
  }
  if (has_batch(x) && perm[0] != 0) {
    throw InvalidArgument(
        cat("perm starts with ", perm[0], ", but x is ", to_string(x), ": the batch stays first"));
  }
  return {std::move(output)};
}

void Transpose::evaluate(std::span<const ConstTensorView> inputs,
                         std::span<const TensorView> outputs) const {
  copy_strided(inputs[0].data,
               outputs[0].data,
               *outputs[0].desc,
               permuted(row_major_strides(inputs[0].desc->shape), perm));
}

}  // namespace fovea
