// A BatchNorm as the two numbers per channel that it comes to.
#pragma once

#include <optional>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// y[..,c] = scale[c] * x[..,c] + shift[c].
struct BatchNormParameters {
  std::vector<double> scale;  ///< gamma / sqrt(variance + epsilon)
  std::vector<double> shift;  ///< beta - mean * scale
};

/// Of a BatchNorm node; nothing where one of its parameters is not a float32 Constant with data.
[[nodiscard]] std::optional<BatchNormParameters> batch_norm_parameters(const Graph& graph,
                                                                       const Node& node);

}  // namespace fovea
