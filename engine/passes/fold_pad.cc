// Pad -> Conv2d       ==>  Conv2d{larger pads}
// Pad -> MaxPool      ==>  MaxPool{larger pads}
// Pad -> AveragePool  ==>  AveragePool{larger pads, count_padding}
//
// Conv2d: legal when the border is zero, which is what a convolution sees outside its input.
// MaxPool: its own border is -infinity. Legal when the Pad's is that too, or when it is zero and no
// element of the input is negative: it then never wins.
// AveragePool: legal when the border is zero and the pool has no border of its own that it leaves
// out of the mean.
// Pools, in addition: the border is smaller than the window, so that it is never alone in it.
#include <limits>
#include <string>

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
  if (const auto* conv = node.as<Conv2d>()) {
    return conv->activation_channels == 0 && at_least_zero(conv->activation);
  }
  if (const auto* add = node.as<Add>()) return at_least_zero(add->activation);
  if (node.as<MaxPool>() != nullptr) return is_non_negative(graph, node.inputs[0]);
  return false;
}

void widen(Pads& pads, const Pads& by) {
  for (std::size_t side = 0; side < pads.size(); ++side) pads[side] += by[side];
}

/// Whether a window of the pool could hold nothing but border.
template <typename Pool>
bool leaves_border_alone(const Pool& pool) {
  for (std::size_t side = 0; side < pool.pads.size(); ++side) {
    if (pool.pads[side] >= pool.kernel[side % 2]) return true;
  }
  return false;
}

/// Whether the border of a Pad of `x` is what a MaxPool does not see.
bool never_wins(const Graph& graph, float border, Value x) {
  if (border == -std::numeric_limits<float>::infinity()) return true;
  return border == 0.0F && is_non_negative(graph, x);
}

/// Takes the Pad's border into `op`, its user. Returns the condition that failed, or "".
std::string take_border(const Graph& graph, Op& op, const Pad& pad, Value padded) {
  if (auto* conv = std::get_if<Conv2d>(&op)) {
    if (pad.value != 0.0F) return "the border is not zero";
    widen(conv->pads, pad.pads);
    return {};
  }
  if (auto* pool = std::get_if<MaxPool>(&op)) {
    if (!never_wins(graph, pad.value, padded)) {
      return pad.value == 0.0F ? "the pooled values may be below the border's zero"
                               : "the border is not zero";
    }
    widen(pool->pads, pad.pads);
    return leaves_border_alone(*pool) ? "a window would lie in the border alone" : "";
  }
  auto& pool = std::get<AveragePool>(op);
  if (pad.value != 0.0F) return "the border is not zero";
  if (!pool.count_padding && pool.pads != Pads{0, 0, 0, 0}) {
    return "the pool leaves its own border out of the mean, but not the Pad's";
  }
  widen(pool.pads, pad.pads);
  pool.count_padding = true;
  return leaves_border_alone(pool) ? "a window would lie in the border alone" : "";
}

/// Whether the operator has a border of its own.
bool has_border(const Op& op) {
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<MaxPool>(op) ||
         std::holds_alternative<AveragePool>(op);
}

}  // namespace

bool fold_pad(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const Node* before = has_border(node.op) ? &graph.node(node.inputs[0]) : nullptr;
    const Pad* pad = before != nullptr ? before->as<Pad>() : nullptr;
    if (pad == nullptr) {
      rewriter.copy(id);
      continue;
    }
    Op op = node.op;
    if (const std::string reason = take_border(graph, op, *pad, before->inputs[0]);
        !reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }
    std::vector<Value> inputs = rewriter.map(node.inputs);
    inputs[0] = rewriter.map(before->inputs[0]);
    rewriter.copy_onto(id, std::move(op), std::move(inputs));
    context.report.take(kName, node.name, cat("took over the border of '", before->name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
