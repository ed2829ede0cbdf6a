// Non-owning views of dense tensors in host memory.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <type_traits>

#include <fovea/types.h>

namespace fovea {

template <typename T>
inline constexpr DType kDTypeOf = DType::kFloat32;
template <>
inline constexpr DType kDTypeOf<std::int8_t> = DType::kInt8;
template <>
inline constexpr DType kDTypeOf<std::uint8_t> = DType::kUInt8;
template <>
inline constexpr DType kDTypeOf<std::int32_t> = DType::kInt32;
template <>
inline constexpr DType kDTypeOf<std::int64_t> = DType::kInt64;

/// A dense tensor of concrete shape in host memory that someone else owns. `Byte` is std::byte or
/// const std::byte.
template <typename Byte>
struct BasicTensorView {
  const TensorDesc* desc = nullptr;
  Byte* data = nullptr;

  [[nodiscard]] std::int64_t dim(std::size_t i) const { return desc->shape[i]; }

  /// The elements as T, which the description must say.
  template <typename T>
  [[nodiscard]] auto as() const {
    using Element = std::conditional_t<std::is_const_v<Byte>, const T, T>;
    assert(desc->dtype == kDTypeOf<T>);
    return std::span<Element>(reinterpret_cast<Element*>(data),
                              static_cast<std::size_t>(num_elements(desc->shape)));
  }

  [[nodiscard]] auto floats() const { return as<float>(); }
};

using ConstTensorView = BasicTensorView<const std::byte>;
using TensorView = BasicTensorView<std::byte>;

}  // namespace fovea
