// The networks that come with the library and can be opened by name.
#pragma once

#include <string_view>
#include <vector>

namespace fovea {

/// The names, such as "resnet50", in the order in which they are listed. Thread-safe.
[[nodiscard]] std::vector<std::string_view> zoo_names();

/// One line about the network: what it classifies, its input and its size. Throws Error
/// (model/not-found) that lists the names for any other one. Thread-safe.
[[nodiscard]] std::string_view zoo_description(std::string_view name);

}  // namespace fovea
