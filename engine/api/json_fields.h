// Reading values of plan files' JSON; whatever is not there as it should be is plan/corrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace fovea::json_fields {

/// The value as text; UTF-8 follows from its being JSON.
[[nodiscard]] std::string text(const nlohmann::json& value);

/// The value as a whole number >= 0.
[[nodiscard]] std::uint64_t number(const nlohmann::json& value);

/// Throws unless the value is a list of that many values.
void check_list(const nlohmann::json& value, std::size_t size);

/// Hands out the members and rows of an object (json_rows.h).
void read(std::string_view json,
          const std::function<void(const std::string& key, const nlohmann::json& value)>& on_value,
          const std::function<void(const std::string& key, const nlohmann::json& row)>& on_row);

}  // namespace fovea::json_fields
