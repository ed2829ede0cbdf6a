// Constants as arrays of floats, for passes that compute new weights.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// The values of a float32 Constant, or nothing where `value` is not one or has no data.
[[nodiscard]] std::optional<std::span<const float>> constant_floats(const Graph& graph,
                                                                    Value value);

/// A float32 Constant of these values.
[[nodiscard]] Constant make_constant(Shape shape, std::span<const float> values);

}  // namespace fovea
