// Constant, ConstantOfShape.
#include <cstring>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"
#include "engine/import_worker/onnx/converters.h"
#include "engine/import_worker/onnx/onnx_tensor.h"

namespace fovea::onnx {

namespace {

template <typename T>
Constant listed(DType dtype, Shape shape, const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {{dtype, std::move(shape)}, Buffer::from(std::move(bytes))};
}

/// The one attribute that says the value.
std::optional<Constant> read_value(OnnxNode& node) {
  if (auto tensor = node.tensor("value")) {
    tensor->set_name(node.output());
    return take_tensor(*tensor);
  }
  if (const auto list = node.integers("value_ints")) {
    return listed(DType::kInt64, {static_cast<std::int64_t>(list->size())}, *list);
  }
  if (const auto list = node.reals("value_floats")) {
    return listed(DType::kFloat32, {static_cast<std::int64_t>(list->size())}, *list);
  }
  if (node.has_attribute("value_int")) {
    return listed(DType::kInt64, {}, std::vector{node.integer("value_int", 0)});
  }
  if (node.has_attribute("value_float")) {
    return listed(DType::kFloat32, {}, std::vector{node.real("value_float", 0)});
  }
  return std::nullopt;
}

/// `count` times the same element.
std::vector<std::byte> repeated(std::span<const std::byte> element, std::size_t count) {
  std::vector<std::byte> bytes;
  bytes.reserve(count * element.size());
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), element.begin(), element.end());
  return bytes;
}

}  // namespace

void convert_constant(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(0, 0);
  auto constant = read_value(node);
  node.check_understood();
  if (!constant) node.fail_corrupt("has no value");
  conversion.define(std::move(*constant), {}, Order::kFile);
}

void convert_constant_of_shape(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  Constant element = listed(DType::kFloat32, {1}, std::vector{0.0F});
  if (auto tensor = node.tensor("value")) {
    tensor->set_name(node.output());
    element = take_tensor(*tensor);
  }
  if (num_elements(element.desc.shape) != 1) {
    node.fail_corrupt(cat("repeats ", to_string(element.desc), " instead of one element"));
  }
  const TensorDesc desc{element.desc.dtype, conversion.integers(0, "shape")};
  check_desc(desc, "its tensor");
  check_concrete(desc, "its tensor");
  // A few bytes of a file must not become a package of any size.
  constexpr std::size_t kMostBytes = std::size_t{16} << 20;
  if (byte_size(desc) > kMostBytes) {
    throw Error(ErrorCode::kModelLimit,
                cat(node.label(),
                    " repeats one element to ",
                    to_string(desc),
                    ", more than ",
                    kMostBytes,
                    " bytes; store the tensor's values in the file"));
  }
  const auto count = static_cast<std::size_t>(num_elements(desc.shape));
  conversion.define(Constant{desc,
                             Buffer::from(repeated(
                                 std::span(element.read().data(), element.data->size()), count))},
                    {},
                    Order::kFile);
}

}  // namespace fovea::onnx
