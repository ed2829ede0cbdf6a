// Keras's summary of a network.
#pragma once

#include <string>
#include <string_view>

#include "engine/graph/graph.h"

namespace fovea {

/// See <fovea/describe.h>.
[[nodiscard]] std::string summary(const Graph& graph, std::string_view name, int columns);

}  // namespace fovea
