#include "engine/passes/channel_scaling.h"

#include <cmath>

#include "engine/passes/constants.h"

namespace fovea {

namespace {

std::optional<ChannelScaling> of_batch_norm(const Graph& graph, const Node& node) {
  const auto gamma = constant_floats(graph, node.inputs[1]);
  const auto beta = constant_floats(graph, node.inputs[2]);
  const auto mean = constant_floats(graph, node.inputs[3]);
  const auto variance = constant_floats(graph, node.inputs[4]);
  if (!gamma || !beta || !mean || !variance) return std::nullopt;
  const double epsilon = node.as<BatchNorm>()->epsilon;
  ChannelScaling scaling;
  for (std::size_t c = 0; c < gamma->size(); ++c) {
    const double scale = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
    scaling.scale.push_back(scale);
    scaling.shift.push_back((*beta)[c] - (*mean)[c] * scale);
  }
  return scaling;
}

}  // namespace

bool scales_channels(const Node& node) {
  if (node.as<BatchNorm>() != nullptr) return true;
  return node.as<Rescale>() != nullptr && node.outputs[0].shape.size() >= 2;
}

std::optional<ChannelScaling> channel_scaling(const Graph& graph, const Node& node) {
  const auto* rescale = node.as<Rescale>();
  if (rescale == nullptr) return of_batch_norm(graph, node);
  const auto channels = static_cast<std::size_t>(node.outputs[0].shape.back());
  return ChannelScaling{std::vector(channels, rescale->scale),
                        std::vector(channels, rescale->offset)};
}

}  // namespace fovea
