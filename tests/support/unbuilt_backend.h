// A backend whose plans can be looked at and not run.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace fovea::test {

/// The tactics and conversions of `backend`, whose steps are never built: no weights are read.
/// Operators that it lacks are evaluated.
[[nodiscard]] std::unique_ptr<Backend> make_unbuilt_backend(std::unique_ptr<Backend> backend);

}  // namespace fovea::test
