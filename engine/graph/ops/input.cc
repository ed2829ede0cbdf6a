#include "engine/graph/ops/input.h"

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Input::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 0);
  check_desc(desc, "the graph input");
  return {desc};
}

void Input::evaluate(std::span<const ConstTensorView> /*inputs*/,
                     std::span<const TensorView> /*outputs*/) const {
  throw Error(ErrorCode::kInternal,
              cat("the graph input ", to_string(desc), " was evaluated instead of bound"));
}

}  // namespace fovea
