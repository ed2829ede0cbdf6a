// Numbers in a file's bytes, with every access checked.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fovea {

/// Reads a file's bytes by position. Throws Error (image/truncated) for every position behind the
/// end. Does not own the bytes.
class ByteReader {
 public:
  /// `format` opens the messages ("PNG").
  ByteReader(std::span<const std::byte> bytes, std::string_view format, std::endian order)
      : bytes_(bytes), format_(format), order_(order) {}

  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

  [[nodiscard]] std::uint8_t u8(std::uint64_t at) const;
  [[nodiscard]] std::uint16_t u16(std::uint64_t at) const;
  [[nodiscard]] std::uint32_t u32(std::uint64_t at) const;

  /// The bits of u32 as a signed number.
  [[nodiscard]] std::int32_t i32(std::uint64_t at) const;

  [[nodiscard]] std::span<const std::byte> slice(std::uint64_t at, std::uint64_t count) const;

  /// Four characters.
  [[nodiscard]] std::string_view tag(std::uint64_t at) const;

 private:
  /// `count` bytes from `at` on as a number in the file's order.
  [[nodiscard]] std::uint32_t number(std::uint64_t at, std::size_t count) const;

  std::span<const std::byte> bytes_;
  std::string_view format_;
  std::endian order_;
};

}  // namespace fovea
