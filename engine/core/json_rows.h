// Reading long JSON lists of small rows without holding them all.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace fovea {

/// A row and every top-level value may consist of this many values, nested this deep.
inline constexpr std::size_t kMaxRowValues = 10'000;
inline constexpr std::size_t kMaxRowDepth = 16;

/// Called with the key of a top-level member and its value, or one element of it where it is an
/// array. May throw; the exception ends the parse.
using JsonRowHandler = std::function<void(const std::string& key, const nlohmann::json& value)>;

/// Reads an object such as {"format": 1, "nodes": [row, row, ...]} in the order of the text:
/// `on_value` gets every member that is not an array, `on_row` every element of those that are.
/// Memory stays that of one row, whatever the text holds.
///
/// Throws Error: model/corrupt for text that is not JSON, is no object, or has a key twice in one
/// object; model/limit for a row over the limits above.
void read_json_rows(std::string_view text,
                    const JsonRowHandler& on_value,
                    const JsonRowHandler& on_row);

}  // namespace fovea
