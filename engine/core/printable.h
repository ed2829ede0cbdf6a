// Text of unknown origin, made fit for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fovea {

/// `text` on one line of at most about `max_bytes`: control characters and bytes that are not UTF-8
/// become '?', what is too long ends in "...". For names that come out of files.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes = 100);

/// Whether `text` is a name as it stands: UTF-8 without control characters, at most 1,000 bytes.
[[nodiscard]] bool is_plain_name(std::string_view text);

}  // namespace fovea
