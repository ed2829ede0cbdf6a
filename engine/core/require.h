// Preconditions and the text of messages.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <fovea/error.h>

namespace fovea {

/// Concatenates strings, characters and numbers: cat("got ", 3, " inputs").
template <typename... Parts>
[[nodiscard]] std::string cat(const Parts&... parts) {
  std::string text;
  const auto append = [&text](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, char>) {
      text += part;
    } else if constexpr (std::is_arithmetic_v<Part>) {
      text += std::to_string(part);
    } else {
      text += std::string_view(part);
    }
  };
  (append(parts), ...);
  return text;
}

/// Throws InvalidArgument with `message` unless `condition` holds.
inline void require(bool condition, const char* message) {
  if (!condition) throw InvalidArgument(message);
}

}  // namespace fovea
