// Element types and tensor descriptions: plain values shared by every layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

enum class DType : std::uint8_t { kFloat32, kFloat16, kBFloat16, kInt8, kUInt8, kInt32, kInt64 };

/// Bytes of one element.
[[nodiscard]] std::size_t element_size(DType dtype);

/// "f32", "f16", "bf16", "i8", "u8", "i32", "i64".
[[nodiscard]] std::string_view to_string(DType dtype);

/// The type of that text. Throws InvalidArgument for any other text.
[[nodiscard]] DType parse_dtype(std::string_view text);

/// Dimension 0 of an activation whose batch size is chosen at run time. Nothing else is symbolic.
inline constexpr std::int64_t kBatch = -1;

/// Dimensions, outermost first; pictures are {batch, height, width, channels}.
using Shape = std::vector<std::int64_t>;

/// What a tensor is, without where it lies: element type and dimensions, logically row-major.
struct TensorDesc {
  DType dtype = DType::kFloat32;
  Shape shape;

  bool operator==(const TensorDesc&) const = default;
};

/// A named tensor that enters or leaves a network.
struct TensorInfo {
  std::string name;
  TensorDesc desc;

  bool operator==(const TensorInfo&) const = default;
};

/// Whether dimension 0 is the symbolic batch.
[[nodiscard]] bool has_batch(const TensorDesc& desc);

/// The same description with the symbolic batch, if it has one, replaced by `batch`.
[[nodiscard]] TensorDesc with_batch(TensorDesc desc, std::int64_t batch);

/// Product of the dimensions; 1 for a scalar. Throws InvalidArgument for a symbolic or negative
/// dimension and where the product does not fit 62 bits.
[[nodiscard]] std::int64_t num_elements(const Shape& shape);

/// Bytes that a dense tensor of this description takes. Throws like num_elements.
[[nodiscard]] std::size_t byte_size(const TensorDesc& desc);

/// Text such as "f32[N,224,224,3]", used in dumps and messages; N is the symbolic batch.
[[nodiscard]] std::string to_string(const TensorDesc& desc);

}  // namespace fovea
