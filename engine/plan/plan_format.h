// What the reader and the writer of plan files share.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/hash.h"
#include "engine/core/require.h"

namespace fovea::plan_format {

static_assert(std::endian::native == std::endian::little, "plan files are little-endian");

inline constexpr std::string_view kMagic{"\x89\x46VPLN\r\n", 8};
inline constexpr std::size_t kHashBytes = 32;  ///< xxh3-128 as text
inline constexpr std::size_t kNameBytes = 16;  ///< with at least one zero

/// The fixed part of the header. All formats have its first three members.
struct Start {
  std::array<char, 8> magic;
  std::uint32_t format;
  std::uint32_t header_bytes;
  std::array<char, kHashBytes> xxh3;
  std::uint64_t file_bytes;
  std::uint32_t sections;
  std::array<char, 20> zeros;
};

static_assert(sizeof(Start) == 80);

struct Row {
  std::array<char, kNameBytes> name;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::array<char, kHashBytes> xxh3;
};

static_assert(sizeof(Row) == 64);

/// Where the hash ends, which covers all of the header but itself.
inline constexpr std::size_t kHashBegin = offsetof(Start, xxh3);
inline constexpr std::size_t kHashEnd = kHashBegin + kHashBytes;

[[nodiscard]] inline std::string header_hash(std::span<const std::byte> header) {
  Xxh3 hash;
  hash.add(header.first(kHashBegin));
  hash.add(header.subspan(kHashEnd));
  return hash.digest();
}

[[nodiscard]] constexpr std::uint64_t next_multiple(std::uint64_t bytes, std::uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// Whether a text is the name of a section.
[[nodiscard]] inline bool is_section_name(std::string_view name) {
  return !name.empty() && name.size() < kNameBytes &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

}  // namespace fovea::plan_format
