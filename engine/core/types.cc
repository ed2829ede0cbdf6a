#include <array>

#include <fovea/types.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

struct DTypeInfo {
  std::string_view name;
  std::size_t bytes;
};

/// In the order of DType.
constexpr std::array<DTypeInfo, 7> kDTypes{{
    {"f32", 4},
    {"f16", 2},
    {"bf16", 2},
    {"i8", 1},
    {"u8", 1},
    {"i32", 4},
    {"i64", 8},
}};

}  // namespace

std::size_t element_size(DType dtype) {
  return kDTypes.at(static_cast<std::size_t>(dtype)).bytes;
}

std::string_view to_string(DType dtype) {
  return kDTypes.at(static_cast<std::size_t>(dtype)).name;
}

DType parse_dtype(std::string_view text) {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == text) return static_cast<DType>(i);
  }
  throw InvalidArgument(cat("no element type is called '", text, "'"));
}

bool has_batch(const TensorDesc& desc) {
  return !desc.shape.empty() && desc.shape[0] == kBatch;
}

TensorDesc with_batch(TensorDesc desc, std::int64_t batch) {
  if (has_batch(desc)) desc.shape[0] = batch;
  return desc;
}

std::int64_t num_elements(const Shape& shape) {
  std::int64_t product = 1;
  for (const std::int64_t dim : shape) {
    require(dim >= 0, "a tensor's size needs concrete dimensions");
    require(dim == 0 || product <= (std::int64_t{1} << 62) / dim, "a tensor is too large");
    product *= dim;
  }
  return product;
}

std::size_t byte_size(const TensorDesc& desc) {
  const std::int64_t elements = num_elements(desc.shape);
  const std::size_t bytes = element_size(desc.dtype);
  require(elements <= (std::int64_t{1} << 62) / static_cast<std::int64_t>(bytes),
          "a tensor is too large");
  return bytes * static_cast<std::size_t>(elements);
}

std::string to_string(const TensorDesc& desc) {
  std::string text = cat(to_string(desc.dtype), '[');
  for (std::size_t i = 0; i < desc.shape.size(); ++i) {
    if (i != 0) text += ',';
    text += i == 0 && desc.shape[0] == kBatch ? "N" : std::to_string(desc.shape[i]);
  }
  return text + ']';
}

}  // namespace fovea
