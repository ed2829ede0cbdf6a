// Constants as arrays of floats, for passes that compute new weights.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// The float32 Constant that the value is, or nullptr where it is none or has no data.
[[nodiscard]] const Constant* float_constant(const Graph& graph, Value value);

/// Its values, row-major; nothing where float_constant gives nullptr.
[[nodiscard]] std::optional<std::vector<float>> constant_floats(const Graph& graph, Value value);

/// A float32 Constant of these values.
[[nodiscard]] Constant make_constant(Shape shape, std::span<const float> values);

/// `constant`, float32, with every element [c, ...] multiplied by scale[c] in double precision and
/// rounded once. Computed when it is read, so that the product is held in no form but the packed
/// one.
[[nodiscard]] Constant scaled_rows(const Constant& constant, std::vector<double> scale);

/// float32 constants that differ in dimension 0 at most, one after the other along it. Computed
/// when it is read, as scaled_rows is.
[[nodiscard]] Constant joined_rows(const std::vector<Constant>& parts);

/// `constant`, float32 [O,...,I] of O / groups outputs a group, with every element [o, ..., i]
/// multiplied by scale[g * I + i], g being o's group; else as scaled_rows. `scale` has groups * I
/// factors.
[[nodiscard]] Constant scaled_columns(const Constant& constant,
                                      std::int64_t groups,
                                      std::vector<double> scale);

/// `constant`, float32, with zeros behind the elements of every dimension that `shape`, of the same
/// rank, has larger. Computed when it is read, as scaled_rows is.
[[nodiscard]] Constant zero_padded(const Constant& constant, Shape shape);

}  // namespace fovea
