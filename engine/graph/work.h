// How much a network computes.
#pragma once

#include <cstdint>

#include "engine/graph/graph.h"

namespace fovea {

/// Multiply-adds of all convolutions and dense layers for one picture; the other operators' work is
/// small beside theirs and not counted.
[[nodiscard]] std::int64_t multiply_adds(const Graph& graph);

}  // namespace fovea
