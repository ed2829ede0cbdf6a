// Pseudo-random inputs for a graph.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph/interpret.h"

namespace fovea {

/// Bytes for each of Graph::inputs(), in order, that depend on the inputs' names and the seed
/// alone: any u8 and i8, floats in [-1, 1), zeros of wider integers; a table of pictures says
/// that the pixels are usual_pictures(), one behind the other. The graph's shapes are
/// concrete.
[[nodiscard]] std::vector<TensorBytes> random_inputs(const Graph& graph, std::uint64_t seed);

}  // namespace fovea
