// Conv2d, Dense or Add -> Relu, Clip, Tanh or Sigmoid  ==>  the producer with that activation
//
// Legal when nothing else uses the producer's result (the value before the activation is then never
// seen), it has no activation yet, and the target applies this one inside its producers.
#include <optional>

#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-activation";

std::optional<Activation> activation_of(const Node& node) {
  if (node.as<Relu>() != nullptr) return Activation{.kind = ActivationKind::kRelu};
  if (node.as<Tanh>() != nullptr) return Activation{.kind = ActivationKind::kTanh};
  if (node.as<Sigmoid>() != nullptr) return Activation{.kind = ActivationKind::kSigmoid};
  if (const auto* clip = node.as<Clip>()) {
    return Activation{.kind = ActivationKind::kClip, .lo = clip->lo, .hi = clip->hi};
  }
  return std::nullopt;
}

/// The activation that a producing operator carries, or nullptr where it cannot carry one.
Activation* carried(Op& op) {
  if (auto* conv = std::get_if<Conv2d>(&op)) return &conv->activation;
  if (auto* dense = std::get_if<Dense>(&op)) return &dense->activation;
  if (auto* add = std::get_if<Add>(&op)) return &add->activation;
  return nullptr;
}

}  // namespace

bool fuse_activation(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const std::optional<Activation> activation = activation_of(node);
    if (!activation) {
      rewriter.copy(id);
      continue;
    }
    const Value input = node.inputs[0];
    const Node& producer = graph.node(input);
    Op op = producer.op;
    Activation* slot = carried(op);
    std::string reason;
    if (slot == nullptr) {
      reason = cat("its input comes from a ", op_name(producer.op));
    } else if (!context.traits.fuses(activation->kind)) {
      reason = cat("the target does not apply ", op_name(node.op), " inside its operators");
    } else if (slot->kind != ActivationKind::kNone) {
      reason = cat("'", producer.name, "' has an activation already");
    } else if (graph.use_count(input.node) != 1) {
      reason = cat("'", producer.name, "' is also used elsewhere");
    }
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    *slot = *activation;
    std::vector<Value> inputs = rewriter.map(producer.inputs);
    rewriter.replace(id, rewriter.add(std::move(op), std::move(inputs), node.name));
    context.report.take(kName, node.name, cat("applied inside '", producer.name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
