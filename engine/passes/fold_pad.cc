// Pad -> Conv2d   ==>  Conv2d{larger pads}
// Pad -> MaxPool  ==>  MaxPool{larger pads}
//
// Conv2d: legal when the border is zero, which is what a convolution sees outside its input.
// MaxPool: its own border is -infinity, so the Pad's must never win and never be alone: legal when
// the border is zero, no element of the input is negative, and the border is smaller than the
// window.
#include <optional>

#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fold-pad";

bool at_least_zero(const Activation& activation) {
  return activation.kind == ActivationKind::kRelu || activation.kind == ActivationKind::kSigmoid ||
         (activation.kind == ActivationKind::kClip && activation.lo >= 0.0F);
}

/// Whether no element of the value can be negative, as far as its producers tell.
bool is_non_negative(const Graph& graph, Value value) {
  const Node& node = graph.node(value);
  if (node.as<Relu>() != nullptr || node.as<Sigmoid>() != nullptr ||
      node.as<Softmax>() != nullptr) {
    return true;
  }
  if (const auto* clip = node.as<Clip>()) return clip->lo >= 0.0F;
  if (const auto* conv = node.as<Conv2d>()) return at_least_zero(conv->activation);
  if (const auto* add = node.as<Add>()) return at_least_zero(add->activation);
  if (node.as<MaxPool>() != nullptr) return is_non_negative(graph, node.inputs[0]);
  return false;
}

Pads sum(const Pads& a, const Pads& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]};
}

/// The user of a Pad with the Pad inside, or nothing and the condition that failed.
std::optional<Op> with_pad(const Graph& graph,
                           const Node& pad_node,
                           const Node& user,
                           PassContext& context) {
  const auto* pad = pad_node.as<Pad>();
  const auto* conv = user.as<Conv2d>();
  const auto* pool = user.as<MaxPool>();
  if (pad == nullptr || (conv == nullptr && pool == nullptr)) return std::nullopt;
  if (pad->value != 0.0F) {
    context.report.refuse(kName, user.name, "the border is not zero");
    return std::nullopt;
  }
  if (conv != nullptr) {
    Conv2d larger = *conv;
    larger.pads = sum(conv->pads, pad->pads);
    return larger;
  }
  if (!is_non_negative(graph, pad_node.inputs[0])) {
    context.report.refuse(kName, user.name, "the pooled values may be below the border's zero");
    return std::nullopt;
  }
  MaxPool larger = *pool;
  larger.pads = sum(pool->pads, pad->pads);
  for (std::size_t side = 0; side < 4; ++side) {
    if (larger.pads[side] < pool->kernel[side % 2]) continue;
    context.report.refuse(kName, user.name, "a window would lie in the border alone");
    return std::nullopt;
  }
  return larger;
}

}  // namespace

bool fold_pad(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const Node* pad = node.inputs.empty() ? nullptr : &graph.node(node.inputs[0]);
    std::optional<Op> op;
    if (pad != nullptr) op = with_pad(graph, *pad, node, context);
    if (!op) {
      rewriter.copy(id);
      continue;
    }
    std::vector<Value> inputs = rewriter.map(node.inputs);
    inputs[0] = rewriter.map(pad->inputs[0]);
    rewriter.replace(id, rewriter.add(std::move(*op), std::move(inputs), node.name));
    context.report.take(kName, node.name, cat("took over the border of '", pad->name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
