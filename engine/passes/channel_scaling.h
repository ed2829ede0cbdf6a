// A BatchNorm or a Rescale as the two numbers per channel that it comes to.
#pragma once

#include <optional>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// y[..,c] = scale[c] * x[..,c] + shift[c].
struct ChannelScaling {
  std::vector<double> scale;  ///< of a BatchNorm: gamma / sqrt(variance + epsilon)
  std::vector<double> shift;  ///< of a BatchNorm: beta - mean * scale
};

/// Whether the node is such an operator, on pictures or vectors of channels.
[[nodiscard]] bool scales_channels(const Node& node);

/// Of a node that is; nothing where one of its parameters is not a float32 Constant with data.
[[nodiscard]] std::optional<ChannelScaling> channel_scaling(const Graph& graph, const Node& node);

}  // namespace fovea
