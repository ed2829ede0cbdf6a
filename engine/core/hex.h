// Bytes as lower-case hexadecimal text.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fovea {

/// Two digits a byte.
[[nodiscard]] inline std::string hex(std::span<const unsigned char> digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace fovea
