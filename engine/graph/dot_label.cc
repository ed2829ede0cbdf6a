#include "engine/graph/dot_label.h"

#include <algorithm>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// Text inside a label that is marked up like HTML.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

std::string fact_text(const DotFact& fact) {
  return cat("<font point-size=\"14\">", fact.what, ": <b>", escaped(fact.value), "</b></font>");
}

}  // namespace

std::string dot_label(const DotLabel& label) {
  const auto row = [&](std::string_view color, std::string_view content) {
    return cat("<tr><td bgcolor=\"",
               color,
               "\" colspan=\"",
               std::max<std::size_t>(label.cells.size(), 1),
               "\">",
               content,
               "</td></tr>");
  };
  std::string table = R"(<table border="0" cellborder="1" bgcolor="black" cellpadding="10">)";
  table += row(label.color,
               cat("<font point-size=\"16\" color=\"",
                   label.text_color,
                   "\"><b>",
                   escaped(label.name),
                   "</b> (",
                   escaped(label.type),
                   ")</font>"));
  for (const DotFact& fact : label.rows) table += row("white", fact_text(fact));
  if (!label.cells.empty()) {
    table += "<tr>";
    for (const DotFact& fact : label.cells) {
      table += cat("<td bgcolor=\"white\">", fact_text(fact), "</td>");
    }
    table += "</tr>";
  }
  return table + "</table>";
}

std::string_view keras_dtype(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kInt8:
      return "int8";
    case DType::kUInt8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
  }
  return {};
}

std::string dot_style(bool left_to_right) {
  return cat("  rankdir=",
             left_to_right ? "LR" : "TB",
             ";\n  node [shape=plain, fontname=Helvetica];\n  edge [penwidth=2];\n");
}

}  // namespace fovea
