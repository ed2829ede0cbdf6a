// The library's version.
#pragma once

#include <string_view>

namespace fovea {

/// "0.1.0".
[[nodiscard]] std::string_view version();

/// The commit that the library was built from, or "unknown".
[[nodiscard]] std::string_view git_commit();

}  // namespace fovea
