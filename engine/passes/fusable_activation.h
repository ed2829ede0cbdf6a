// Which activation may join which operator, for the passes that bring them together.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "engine/graph/graph.h"
#include "engine/graph/target_traits.h"

namespace fovea {

/// What the node applies to its input; nothing where it is no activation.
[[nodiscard]] std::optional<Activation> activation_of(const Node& node);

/// The activation that a producing operator (an Op or a const Op) carries, or nullptr where it
/// cannot carry one.
template <typename OpT>
[[nodiscard]] auto carried_activation(OpT& op) -> decltype(&std::get<Conv2d>(op).activation) {
  if (auto* conv = std::get_if<Conv2d>(&op)) return &conv->activation;
  if (auto* dense = std::get_if<Dense>(&op)) return &dense->activation;
  if (auto* add = std::get_if<Add>(&op)) return &add->activation;
  if (auto* pool = std::get_if<AveragePool>(&op)) return &pool->activation;
  return nullptr;
}

/// The condition that keeps `activation`, for which activation_of() has something, from joining the
/// node `producer`, or "".
[[nodiscard]] std::string activation_obstacle(const Graph& graph,
                                              NodeId producer,
                                              const Node& activation,
                                              const TargetTraits& traits);

}  // namespace fovea
