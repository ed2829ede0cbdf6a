#include "engine/graph/ops/constant.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"
#include "engine/graph/ops/strided_copy.h"

namespace fovea {

std::vector<TensorDesc> Constant::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 0);
  check_desc(desc, "the constant");
  check_concrete(desc, "the constant");
  if (data != nullptr && data->size() != byte_size(desc)) {
    throw InvalidArgument(cat("the constant is ",
                              to_string(desc),
                              " of ",
                              byte_size(desc),
                              " bytes, but its data has ",
                              data->size()));
  }
  return {desc};
}

void Constant::evaluate(std::span<const ConstTensorView> /*inputs*/,
                        std::span<const TensorView> outputs) const {
  if (data == nullptr) {
    throw Error(ErrorCode::kWeightsMissing,
                cat("a parameter ", to_string(desc), " has no values; load weights first"));
  }
  const PinnedBytes bytes = read();
  std::memcpy(outputs[0].data, bytes.data(), bytes.size());
}

PinnedBytes Constant::read() const {
  PinnedBytes stored = data->read();
  if (strides.empty()) return stored;
  const auto dense = std::make_shared<std::vector<std::byte>>(byte_size(desc));
  copy_strided(stored.data(), dense->data(), desc, strides);
  return {*dense, dense};
}

Shape Constant::element_strides() const {
  return strides.empty() ? row_major_strides(desc.shape) : strides;
}

std::string Constant::key() const {
  std::string text = cat(data->identity(), ' ', to_string(desc));
  for (const std::int64_t stride : strides) text += cat(' ', stride);
  return text;
}

bool Constant::operator==(const Constant& other) const {
  if (desc != other.desc) return false;
  if (data == other.data && strides == other.strides) return true;
  if (data == nullptr || other.data == nullptr) return false;
  return std::ranges::equal(read(), other.read());
}

}  // namespace fovea
