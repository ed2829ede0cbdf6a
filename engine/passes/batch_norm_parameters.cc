#include "engine/passes/batch_norm_parameters.h"

#include <cmath>

#include "engine/passes/constants.h"

namespace fovea {

std::optional<BatchNormParameters> batch_norm_parameters(const Graph& graph, const Node& node) {
  const auto gamma = constant_floats(graph, node.inputs[1]);
  const auto beta = constant_floats(graph, node.inputs[2]);
  const auto mean = constant_floats(graph, node.inputs[3]);
  const auto variance = constant_floats(graph, node.inputs[4]);
  if (!gamma || !beta || !mean || !variance) return std::nullopt;
  const double epsilon = node.as<BatchNorm>()->epsilon;
  BatchNormParameters parameters;
  for (std::size_t c = 0; c < gamma->size(); ++c) {
    const double scale = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
    parameters.scale.push_back(scale);
    parameters.shift.push_back((*beta)[c] - (*mean)[c] * scale);
  }
  return parameters;
}

}  // namespace fovea
