#include "tests/cli/cli_test.h"

#include <nlohmann/json.hpp>

namespace fovea::test {

std::string unwrapped(std::string message) {
  for (std::size_t at = 0; (at = message.find("\n  ", at)) != std::string::npos;) {
    message.replace(at, 3, " ");
  }
  return message;
}

std::vector<nlohmann::json> rows_of(const std::string& text) {
  std::vector<nlohmann::json> rows;
  for (const std::string& line : lines_of(text)) {
    rows.push_back(nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false));
    EXPECT_TRUE(rows.back().is_object()) << line;
  }
  return rows;
}

std::vector<std::string> members(const std::vector<nlohmann::json>& rows, const char* key) {
  std::vector<std::string> values;
  for (const nlohmann::json& row : rows) values.push_back(row.value(key, ""));
  return values;
}

}  // namespace fovea::test
