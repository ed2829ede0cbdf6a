// The CPU backend: oneDNN for convolutions, dense layers and pooling, our own code for the rest.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace fovea {

/// float32, blocked layouts between layers, weights packed once at compile time.
[[nodiscard]] std::unique_ptr<Backend> make_cpu_backend();

}  // namespace fovea
