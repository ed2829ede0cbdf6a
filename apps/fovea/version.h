// What `fovea version` and `fovea --version` print for people.
#pragma once

#include <string>

namespace fovea::app {

/// Version, commit and backends, on two lines.
[[nodiscard]] std::string version_text();

}  // namespace fovea::app
