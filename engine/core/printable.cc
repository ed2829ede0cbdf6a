#include "engine/core/printable.h"

#include <algorithm>
#include <cstddef>

namespace fovea {

namespace {

constexpr std::size_t kMaxNameBytes = 1'000;

/// Bytes of the well-formed UTF-8 sequence of a printable character at `text`'s start; 0 if there
/// is none. Source: The Unicode Standard, table 3-7.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 0;
  if (byte(0) < 0x80) return 1;
  if (byte(0) < 0xC2 || byte(0) > 0xF4) return 0;
  const std::size_t bytes = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if (byte(i) >> 6 != 2) return 0;
  }
  // U+0080 to U+009F are control characters as well.
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return 0;
  const bool over_long = (byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xF0 && byte(1) < 0x90);
  const bool no_character =
      (byte(0) == 0xED && byte(1) > 0x9F) || (byte(0) == 0xF4 && byte(1) > 0x8F);
  return over_long || no_character ? 0 : bytes;
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
