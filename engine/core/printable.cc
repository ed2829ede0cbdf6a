#include "engine/core/printable.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace fovea {

namespace {

constexpr std::size_t kMaxNameBytes = 1'000;

/// The smallest second byte after a first byte of a longer sequence, and the largest: no over-long
/// form, no surrogate, nothing above U+10FFFF, and no control character U+0080 to U+009F.
/// Source: The Unicode Standard, table 3-7.
std::pair<unsigned char, unsigned char> second_bytes(unsigned char first) {
  switch (first) {
    case 0xC2:
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {0x80, 0xBF};
  }
}

/// Bytes of the well-formed UTF-8 sequence of a printable character at `text`'s start; 0 if there
/// is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 0;
  if (byte(0) < 0x80) return 1;
  if (byte(0) < 0xC2 || byte(0) > 0xF4) return 0;
  const std::size_t bytes = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (text.size() < bytes) return 0;
  const auto [least, most] = second_bytes(byte(0));
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < bytes; ++i) {
    if (byte(i) >> 6 != 2) return 0;
  }
  return bytes;
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string result;
  while (!text.empty() && result.size() < max_bytes) {
    const std::size_t bytes = character_bytes(text);
    result += bytes == 0 ? std::string_view("?") : text.substr(0, bytes);
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return text.empty() ? result : result + "...";
}

bool is_plain_name(std::string_view text) {
  if (text.size() > kMaxNameBytes) return false;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace fovea
