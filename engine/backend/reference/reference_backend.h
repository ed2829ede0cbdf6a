// Evaluates any operator by its own definition: the oracle for all other backends.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace fovea {

/// Slow and exact; every operator and every fused form, dense layouts only.
[[nodiscard]] std::unique_ptr<Backend> make_reference_backend();

}  // namespace fovea
