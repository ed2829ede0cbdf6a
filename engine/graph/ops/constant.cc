#include "engine/graph/ops/constant.h"

#include <algorithm>
#include <cstring>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Constant::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 0);
  check_desc(desc, "the constant");
  check_concrete(desc, "the constant");
  if (data != nullptr && data->bytes().size() != byte_size(desc)) {
    throw InvalidArgument(cat("the constant is ",
                              to_string(desc),
                              " of ",
                              byte_size(desc),
                              " bytes, but its data has ",
                              data->bytes().size()));
  }
  return {desc};
}

void Constant::evaluate(std::span<const ConstTensorView> /*inputs*/,
                        std::span<const TensorView> outputs) const {
  if (data == nullptr) {
    throw Error(ErrorCode::kWeightsMissing,
                cat("a parameter ", to_string(desc), " has no values; load weights first"));
  }
  std::memcpy(outputs[0].data, data->bytes().data(), data->bytes().size());
}

bool Constant::operator==(const Constant& other) const {
  if (desc != other.desc) return false;
  if (data == other.data) return true;
  if (data == nullptr || other.data == nullptr) return false;
  return std::ranges::equal(data->bytes(), other.data->bytes());
}

}  // namespace fovea
