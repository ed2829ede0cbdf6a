#include "engine/pipeline/decode_bytes.h"

#include <fovea/error.h>

#include "engine/core/require.h"

namespace fovea {

std::span<const std::byte> ByteReader::slice(std::uint64_t at, std::uint64_t count) const {
  if (at > bytes_.size() || count > bytes_.size() - at) {
    throw Error(ErrorCode::kImageTruncated,
                cat(format_,
                    " ends after ",
                    bytes_.size(),
                    " bytes, but needs ",
                    count,
                    " bytes at position ",
                    at));
  }
  return bytes_.subspan(at, count);
}

std::uint32_t ByteReader::number(std::uint64_t at, std::size_t count) const {
  std::uint32_t value = 0;
  const auto digits = slice(at, count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte digit = order_ == std::endian::big ? digits[i] : digits[count - 1 - i];
    value = value << 8U | std::to_integer<std::uint32_t>(digit);
  }
  return value;
}

std::uint8_t ByteReader::u8(std::uint64_t at) const {
  return static_cast<std::uint8_t>(number(at, 1));
}

std::uint16_t ByteReader::u16(std::uint64_t at) const {
  return static_cast<std::uint16_t>(number(at, 2));
}

std::uint32_t ByteReader::u32(std::uint64_t at) const {
  return number(at, 4);
}

std::int32_t ByteReader::i32(std::uint64_t at) const {
  return std::bit_cast<std::int32_t>(number(at, 4));
}

std::string_view ByteReader::tag(std::uint64_t at) const {
  return {reinterpret_cast<const char*>(slice(at, 4).data()), 4};
}

}  // namespace fovea
