// TopK(Softmax(x))  ==>  TopK{softmax = true}(x)
//
// Legal when nothing else uses the probabilities: a softmax keeps the order of what it reads. Where
// two probabilities are equal only because they were rounded, the larger logit now comes first.
#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-softmax-top-k";

std::string obstacle(const Graph& graph, const Node& node, const TargetTraits& traits) {
  if (!traits.fuses_softmax_topk) return "the target computes probabilities and ranks apart";
  if (graph.use_count(node.inputs[0].node) != 1) {
    return cat("'", graph.node(node.inputs[0]).name, "' is also used elsewhere");
  }
  return {};
}

}  // namespace

bool fuse_softmax_topk(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const auto* topk = node.as<TopK>();
    if (topk == nullptr || topk->softmax || graph.node(node.inputs[0]).as<Softmax>() == nullptr) {
      rewriter.copy(id);
      continue;
    }
    const Node& softmax = graph.node(node.inputs[0]);
    const std::string reason = obstacle(graph, node, context.traits);
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    TopK both = *topk;
    both.softmax = true;
    rewriter.copy_onto(id, both, {rewriter.map(softmax.inputs[0])});
    context.report.take(kName, node.name, cat("took '", softmax.name, "' over"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
