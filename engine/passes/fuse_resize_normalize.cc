// ResizeImage -> NormalizeImage         ==>  ResizeNormalize
// ResizeImage -> NormalizeImage -> Cast ==>  ResizeNormalize in the type of the Cast
//
// Legal when nothing else reads the resized bytes, which are then never written. The Cast joins
// where nothing else reads the floats either: they are rounded once, as the Cast would.
#include <algorithm>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/half.h"
#include "engine/passes/pass.h"
#include "engine/passes/readers.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-resize-normalize";

std::string obstacle(const Graph& graph,
                     const Node& resize,
                     NodeId id,
                     const PassContext& context) {
  if (!context.traits.fuses_resize_normalize) return "the target resizes and normalises apart";
  if (graph.use_count(id) != 1) return cat("'", resize.name, "' is also used elsewhere");
  return {};
}

/// The Cast to a half type that alone reads the node, or nullptr.
const Node* only_cast(const Graph& graph, NodeId id, const std::vector<NodeId>& read_by) {
  if (graph.use_count(id) != 1 || read_by.size() != 1) return nullptr;
  const Node& reader = graph.node(read_by[0]);
  const auto* cast = reader.as<Cast>();
  return cast != nullptr && is_half(cast->to) ? &reader : nullptr;
}

}  // namespace

bool fuse_resize_normalize(Graph& graph, PassContext& context) {
  const std::vector<std::vector<NodeId>> read_by = readers(graph);
  std::vector<const Node*> taken_over;  // Casts
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (std::ranges::find(taken_over, &node) != taken_over.end()) {
      rewriter.replace(id, rewriter.map(node.inputs[0]));
      continue;
    }
    const auto* normalize = node.as<NormalizeImage>();
    const auto* resize =
        normalize == nullptr ? nullptr : graph.node(node.inputs[0]).as<ResizeImage>();
    if (resize == nullptr) {
      rewriter.copy(id);
      continue;
    }
    const NodeId resize_id = node.inputs[0].node;
    const Node& resized = graph.node(resize_id);
    const std::string reason = obstacle(graph, resized, resize_id, context);
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    ResizeNormalize both{
        .spec = resize->spec, .constants = normalize->constants, .channels = normalize->channels};
    std::string took = cat("took '", resized.name, "' over");
    if (const Node* cast = only_cast(graph, id, read_by[static_cast<std::size_t>(id)])) {
      both.to = cast->as<Cast>()->to;
      took += cat(" and '", cast->name, "'");
      taken_over.push_back(cast);
    }
    rewriter.copy_onto(id, both, rewriter.map(resized.inputs));
    context.report.take(kName, node.name, std::move(took));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
