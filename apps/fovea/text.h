// Text for people, laid out for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::app {

/// Columns that help and errors fit in.
inline constexpr std::size_t kTextColumns = 80;

/// The text broken at spaces into lines of at most kTextColumns columns; every line but the first
/// begins with `indent` spaces. A longer word has a line of its own: a path without
/// spaces stays whole.
///
/// used   columns that are already taken on the first line
[[nodiscard]] std::string wrap(std::string_view text, std::size_t indent, std::size_t used = 0);

/// The text with '?' in place of control characters: a file's name must not break a line or steer
/// the terminal. Everything else stays byte for byte, so that a name can be copied.
[[nodiscard]] std::string one_line(std::string_view text);

/// " (likewise b, c, d and 9 more)" of nodes that share what is said of another one; empty for
/// none. All names are in the JSON.
[[nodiscard]] std::string likewise(const std::vector<std::string>& nodes);

/// Rows of texts, the first a heading, as lines with two spaces before and between the columns:
/// those of numbers to the right, others to the left. All rows have as many cells.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace fovea::app
