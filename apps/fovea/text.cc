#include "apps/fovea/text.h"

#include <algorithm>

namespace fovea::app {

namespace {

/// Code points; wide and combining characters are not told apart.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6U) != 2; }));
}

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

std::string wrap(std::string_view text, std::size_t indent, std::size_t used) {
  std::string lines;
  std::size_t column = used;
  bool at_start = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!at_start && column + 1 + columns(word) > kTextColumns) {
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!at_start) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += columns(word);
    at_start = false;
  }
  return lines;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    // In UTF-8, U+0080 to U+009F are C2 80 to C2 9F.
    const bool c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    line += byte < 0x20 || byte == 0x7F || c1 ? '?' : text[i];
    if (c1) ++i;
  }
  return line;
}

std::string likewise(const std::vector<std::string>& nodes) {
  constexpr std::size_t kNamed = 3;
  if (nodes.empty()) return {};
  std::string text = " (likewise ";
  for (std::size_t i = 0; i < std::min(kNamed, nodes.size()); ++i) {
    text += (i == 0 ? "" : ", ") + one_line(nodes[i]);
  }
  if (nodes.size() > kNamed) text += " and " + std::to_string(nodes.size() - kNamed) + " more";
  return text + ")";
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  std::vector<bool> numbers(widths.size(), true);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
      if (&row != &rows.front() && !is_number(row[i])) numbers[i] = false;
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string cells = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      cells += numbers[i] ? space + row[i] : row[i] + space;
      cells += "  ";
    }
    cells.erase(cells.find_last_not_of(' ') + 1);
    text += one_line(cells) + "\n";
  }
  return text;
}

}  // namespace fovea::app
