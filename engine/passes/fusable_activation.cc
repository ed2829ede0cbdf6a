#include "engine/passes/fusable_activation.h"

#include "engine/core/require.h"

namespace fovea {

std::optional<Activation> activation_of(const Node& node) {
  if (node.as<Relu>() != nullptr) return Activation{.kind = ActivationKind::kRelu};
  if (node.as<Tanh>() != nullptr) return Activation{.kind = ActivationKind::kTanh};
  if (node.as<Sigmoid>() != nullptr) return Activation{.kind = ActivationKind::kSigmoid};
  if (const auto* clip = node.as<Clip>()) {
    return Activation{.kind = ActivationKind::kClip, .lo = clip->lo, .hi = clip->hi};
  }
  return std::nullopt;
}

std::string activation_obstacle(const Graph& graph,
                                NodeId producer,
                                const Node& activation,
                                const TargetTraits& traits) {
  const Node& node = graph.node(producer);
  const Activation* carried = carried_activation(node.op);
  if (carried == nullptr) {
    return cat("'", node.name, "' (", op_name(node.op), ") applies no activation to its result");
  }
  const std::optional<Activation> joining = activation_of(activation);
  if (!joining || !traits.fuses(joining->kind)) {
    return cat("the target does not apply ", op_name(activation.op), " inside its operators");
  }
  if (node.as<AveragePool>() != nullptr && !traits.fuses_pool_activation) {
    return "the target applies no activation inside its pools";
  }
  if (carried->kind != ActivationKind::kNone) {
    return cat("'", node.name, "' has an activation already");
  }
  if (graph.use_count(producer) != 1) return cat("'", node.name, "' is also used elsewhere");
  return {};
}

}  // namespace fovea
