// The one table of concrete backends.
#pragma once

#include <memory>
#include <string_view>

#include "engine/backend/backend.h"

namespace fovea {

/// The backend of that name on one of its devices, which are numbered from 0; "auto" is the fastest
/// one whose device works here. Throws InvalidArgument that lists the names and for a number of a
/// backend on the host but 0, device/none where the device is not there.
[[nodiscard]] std::shared_ptr<const Backend> make_backend(std::string_view name, int device = 0);

}  // namespace fovea
