// The one table of concrete backends.
#pragma once

#include <memory>
#include <string_view>

#include "engine/backend/backend.h"

namespace fovea {

/// The backend of that name; "auto" is the fastest one whose device works here.
/// Throws InvalidArgument that lists the names, device/none where its device does not work.
[[nodiscard]] std::shared_ptr<const Backend> make_backend(std::string_view name);

}  // namespace fovea
