// MaxPool(f(x)) -> Relu or Clip  ==>  MaxPool(Relu or Clip(f(x))),  f a Conv2d, Add or AveragePool
//
// Legal always: both functions rise, so the largest element stays the largest one, and no window is
// without an element. Taken where the activation can then join f, at no cost: nothing else uses f
// or the pool, f has no activation yet, and the target applies this one inside its operators.
#include "engine/core/require.h"
#include "engine/passes/fusable_activation.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "hoist-activation";

}  // namespace

bool hoist_activation(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const bool rises = node.as<Relu>() != nullptr || node.as<Clip>() != nullptr;
    const Node* pool = rises ? &graph.node(node.inputs[0]) : nullptr;
    if (pool == nullptr || pool->as<MaxPool>() == nullptr) {
      rewriter.copy(id);
      continue;
    }
    std::string reason = activation_obstacle(graph, pool->inputs[0].node, node, context.traits);
    if (reason.empty() && graph.use_count(node.inputs[0].node) != 1) {
      reason = cat("'", pool->name, "' is also used elsewhere");
    }
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }
    const Value first =
        rewriter.add(node.op, {rewriter.map(pool->inputs[0])}, cat(node.name, "/hoisted"));
    rewriter.copy_onto(id, pool->op, {first});
    context.report.take(kName, node.name, cat("applied before '", pool->name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
