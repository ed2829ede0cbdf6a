// A table drawn with box characters, for people.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace fovea {

struct TableColumn {
  std::string header;
  std::size_t width = 0;  ///< characters of its cells, >= 1
  bool to_the_right = false;
};

/// The table with lines around every cell and a space on both sides within, each row ending in a
/// newline; it is the sum of the widths plus three a column plus one wide. A cell is broken at
/// spaces; a longer word ends in an ellipsis. Lower headers stand at the bottom, lower cells at the
/// top. Characters are code points, each taken for one column wide.
///
/// rows   cells in the order of the columns, as many as columns, in UTF-8 without newlines
[[nodiscard]] std::string text_table(std::span<const TableColumn> columns,
                                     std::span<const std::vector<std::string>> rows);

}  // namespace fovea
