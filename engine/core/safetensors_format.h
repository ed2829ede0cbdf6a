// What the reader and the writer of safetensors files share.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <fovea/types.h>

namespace fovea::safetensors {

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

/// Every tensor's data starts at a multiple of this many bytes where its size allows it.
inline constexpr std::size_t kAlignment = 8;

/// The one name that is no tensor's.
inline constexpr std::string_view kMetadataKey = "__metadata__";

/// An element type of the format, and ours where there is one.
struct ElementType {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<DType> dtype;
};

inline constexpr std::array<ElementType, 16> kElementTypes{{
    {"F32", 4, DType::kFloat32},
    {"F16", 2, DType::kFloat16},
    {"BF16", 2, DType::kBFloat16},
    {"I8", 1, DType::kInt8},
    {"U8", 1, DType::kUInt8},
    {"I32", 4, DType::kInt32},
    {"I64", 8, DType::kInt64},
    {"F64", 8, std::nullopt},
    {"U64", 8, std::nullopt},
    {"U32", 4, std::nullopt},
    {"I16", 2, std::nullopt},
    {"U16", 2, std::nullopt},
    {"BOOL", 1, std::nullopt},
    {"F8_E4M3", 1, std::nullopt},
    {"F8_E5M2", 1, std::nullopt},
    {"C64", 8, std::nullopt},
}};

}  // namespace fovea::safetensors
