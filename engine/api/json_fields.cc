#include "engine/api/json_fields.h"

#include <nlohmann/json.hpp>

#include "engine/core/json_rows.h"
#include "engine/core/require.h"

namespace fovea::json_fields {

namespace {

void check(bool holds, const char* what) {
  if (!holds) throw Error(ErrorCode::kPlanCorrupt, cat("a value is no ", what));
}

}  // namespace

std::string text(const nlohmann::json& value) {
  check(value.is_string(), "text");
  return value.get<std::string>();
}

std::uint64_t number(const nlohmann::json& value) {
  check(value.is_number_unsigned(), "whole number");
  return value.get<std::uint64_t>();
}

void check_list(const nlohmann::json& value, std::size_t size) {
  check(value.is_array() && value.size() == size, "list of the right length");
}

void read(std::string_view json,
          const std::function<void(const std::string& key, const nlohmann::json& value)>& on_value,
          const std::function<void(const std::string& key, const nlohmann::json& row)>& on_row) {
  try {
    read_json_rows(json, on_value, on_row);
  } catch (const Error& error) {
    throw Error(ErrorCode::kPlanCorrupt, error.what());
  }
}

}  // namespace fovea::json_fields
