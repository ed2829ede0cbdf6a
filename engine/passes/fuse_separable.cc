// depthwise Conv2d -> pointwise Conv2d  ==>  SeparableConv2d
//
// Legal when nothing else reads the depthwise convolution's result and it adds no residual. Worth
// it on a target that can keep the value between them out of memory, and only for so few filters
// that it is computed once: a block of a kernel has all filters of its pixels then. What else the
// target does for such an operator, the two one after the other included, is for its tactics.
#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-separable";

const Shape& weights_of(const Graph& graph, const Node& conv) {
  return graph.desc(conv.inputs[1]).shape;
}

/// Whether the node is a pointwise convolution of what a depthwise one computes.
bool is_candidate(const Graph& graph, const Node& node) {
  const auto* pointwise = node.as<Conv2d>();
  if (pointwise == nullptr || !is_pointwise(*pointwise, weights_of(graph, node))) return false;
  const Node& before = graph.node(node.inputs[0]);
  const auto* depthwise = before.as<Conv2d>();
  return depthwise != nullptr && depthwise->groups > 1 &&
         is_depthwise(*depthwise, graph.desc(before.inputs[0]).shape, weights_of(graph, before));
}

/// The condition that keeps a candidate from taking the depthwise convolution in, or "".
std::string obstacle(const Graph& graph, const Node& node, const TargetTraits& traits) {
  const Node& before = graph.node(node.inputs[0]);
  if (graph.use_count(node.inputs[0].node) != 1) {
    return cat("'", before.name, "' is also used elsewhere");
  }
  if (before.as<Conv2d>()->residual) return cat("'", before.name, "' adds a residual");
  if (node.as<Conv2d>()->input_activation != ActivationKind::kNone) {
    return "it has an activation on its input";
  }
  const std::int64_t filters = weights_of(graph, node)[0];
  if (filters > traits.most_separable_filters) {
    return cat("it has ",
               filters,
               " filters, and the target computes '",
               before.name,
               "' once for at most ",
               traits.most_separable_filters);
  }
  return {};
}

}  // namespace

bool fuse_separable(Graph& graph, PassContext& context) {
  if (context.traits.most_separable_filters == 0) {
    context.report.refuse(kName, {}, "the target computes no separable convolution in one step");
    return false;
  }
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!is_candidate(graph, node)) {
      rewriter.copy(id);
      continue;
    }
    const std::string reason = obstacle(graph, node, context.traits);
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }
    const Node& before = graph.node(node.inputs[0]);
    std::vector<Value> inputs = rewriter.map(before.inputs);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      inputs.push_back(rewriter.map(node.inputs[i]));
    }
    rewriter.copy_onto(
        id, SeparableConv2d{*before.as<Conv2d>(), *node.as<Conv2d>()}, std::move(inputs));
    context.report.take(kName, node.name, cat("computes '", before.name, "' too"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
