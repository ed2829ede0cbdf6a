// Add(Conv2d(x, w, b), y)  ==>  Conv2d{residual}(x, w, b, y)
//
// Legal when nothing else uses the convolution's result, it has no activation of its own, both
// summands have one shape, and the target adds residuals inside its convolutions. Of two candidates
// the later one takes the other in: the earlier result is then there already.
#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-residual";

/// The condition that keeps the producer of `value` from adding the other summand, or "".
std::string obstacle(const Graph& graph, Value value) {
  const Node& node = graph.node(value);
  const auto* conv = node.as<Conv2d>();
  if (conv == nullptr) return cat("'", node.name, "' is a ", op_name(node.op));
  if (conv->activation.kind != ActivationKind::kNone) {
    return cat("'", node.name, "' has an activation before the sum");
  }
  if (conv->residual) return cat("'", node.name, "' adds another residual already");
  if (graph.use_count(value.node) != 1) return cat("'", node.name, "' is also used elsewhere");
  return {};
}

}  // namespace

bool fuse_residual(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const auto* add = node.as<Add>();
    if (add == nullptr) {
      rewriter.copy(id);
      continue;
    }
    Value later = node.inputs[0];
    Value earlier = node.inputs[1];
    if (later.node < earlier.node) std::swap(later, earlier);
    std::string reason = obstacle(graph, later);
    if (!reason.empty() && obstacle(graph, earlier).empty()) {
      std::swap(later, earlier);
      reason.clear();
    }
    if (graph.desc(later) != graph.desc(earlier)) reason = "the summands have different shapes";
    if (reason.empty() && !context.traits.fuses_residual) {
      reason = "the target adds no residuals inside its convolutions";
    }
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    const Node& producer = graph.node(later);
    Conv2d conv = *producer.as<Conv2d>();
    conv.residual = true;
    conv.activation = add->activation;
    std::vector<Value> inputs = rewriter.map(producer.inputs);
    inputs.push_back(rewriter.map(earlier));
    rewriter.copy_onto(id, conv, std::move(inputs));
    context.report.take(kName, node.name, cat("added inside '", producer.name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
