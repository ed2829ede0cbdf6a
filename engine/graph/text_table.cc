#include "engine/graph/text_table.h"

#include <algorithm>
#include <string_view>

#include "engine/core/require.h"

namespace fovea {

namespace {

bool starts_character(char byte) {
  return (static_cast<unsigned char>(byte) >> 6U) != 2;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

/// The text as it fits into so many characters, with an ellipsis where it does not.
std::string cut(std::string_view text, std::size_t width) {
  if (characters(text) <= width) return std::string(text);
  std::size_t left = width;
  const auto end = std::find_if(
      text.begin(), text.end(), [&](char byte) { return starts_character(byte) && left-- == 1; });
  return cat(text.substr(0, static_cast<std::size_t>(end - text.begin())), "…");
}

/// The lines of a cell: as many words as fit on each, and at least one.
std::vector<std::string> break_lines(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.empty()) {
      line = word;
    } else if (characters(line) + 1 + characters(word) <= width) {
      line.append(" ").append(word);
    } else {
      lines.push_back(cut(line, width));
      line = word;
    }
  }
  lines.push_back(cut(line, width));
  return lines;
}

/// The characters of a line between rows.
struct Rule {
  std::string_view left, line, cross, right;
};

std::string draw(const Rule& rule, std::span<const TableColumn> columns) {
  std::string text;
  for (const TableColumn& column : columns) {
    text += text.empty() ? rule.left : rule.cross;
    for (std::size_t i = 0; i < column.width + 2; ++i) text += rule.line;
  }
  return cat(text, rule.right, '\n');
}

/// Lower cells stand at the top of the row, or at its bottom.
std::string draw(std::string_view bar,
                 std::span<const TableColumn> columns,
                 const std::vector<std::string>& cells,
                 bool at_the_bottom) {
  std::vector<std::vector<std::string>> lines;
  std::size_t height = 1;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    lines.push_back(break_lines(cells.at(i), columns[i].width));
    height = std::max(height, lines.back().size());
  }
  for (std::vector<std::string>& cell : lines) {
    cell.insert(at_the_bottom ? cell.begin() : cell.end(), height - cell.size(), std::string());
  }
  std::string text;
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string& line = lines[i][y];
      const std::string space(columns[i].width - characters(line), ' ');
      text += columns[i].to_the_right ? cat(bar, ' ', space, line, ' ')
                                      : cat(bar, ' ', line, space, ' ');
    }
    text += cat(bar, '\n');
  }
  return text;
}

}  // namespace

std::string text_table(std::span<const TableColumn> columns,
                       std::span<const std::vector<std::string>> rows) {
  std::vector<std::string> headers;
  for (const TableColumn& column : columns) headers.push_back(column.header);

  std::string text = draw({"┏", "━", "┳", "┓"}, columns) +
                     draw("┃", columns, headers, /*at_the_bottom=*/true) +
                     draw({"┡", "━", "╇", "┩"}, columns);
  for (const std::vector<std::string>& row : rows) {
    if (&row != rows.data()) text += draw({"├", "─", "┼", "┤"}, columns);
    text += draw("│", columns, row, /*at_the_bottom=*/false);
  }
  return text + draw({"└", "─", "┴", "┘"}, columns);
}

}  // namespace fovea
