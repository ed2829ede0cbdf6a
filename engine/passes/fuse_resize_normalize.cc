// NormalizeImage -> Cast         ==>  NormalizeImage in the type of the Cast
// ResizeImage -> NormalizeImage  ==>  ResizeNormalize, in the type of a Cast behind it likewise
//
// Legal when nothing else reads the resized bytes, which are then never written, or the floats:
// they are rounded once, as the Cast would.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/core/joined.h"
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
  const auto only = only_reader(graph, id, read_by);
  if (!only) return nullptr;
  const Node& reader = graph.node(*only);
  const auto* cast = reader.as<Cast>();
  return cast != nullptr && is_half(cast->to) ? &reader : nullptr;
}

/// What a NormalizeImage takes over; null where it does not.
struct Neighbours {
  const Node* resize = nullptr;
  const Node* cast = nullptr;
};

Neighbours neighbours(const Graph& graph,
                      NodeId id,
                      const std::vector<NodeId>& read_by,
                      PassContext& context) {
  Neighbours found;
  const Node& node = graph.node(id);
  if (context.traits.fuses_resize_normalize) found.cast = only_cast(graph, id, read_by);
  const NodeId before = node.inputs[0].node;
  if (graph.node(before).as<ResizeImage>() == nullptr) return found;
  const std::string reason = obstacle(graph, graph.node(before), before, context);
  if (reason.empty()) {
    found.resize = &graph.node(before);
  } else {
    context.report.refuse(kName, node.name, reason);
  }
  return found;
}

/// Adds the operator that does what both neighbours did.
void add_fused(NodeId id, NormalizeImage normalize, const Neighbours& took, Rewriter& rewriter) {
  if (took.cast != nullptr) normalize.to = took.cast->as<Cast>()->to;
  if (took.resize == nullptr) {
    rewriter.copy_with(id, normalize);
    return;
  }
  const PreprocessSpec& spec = took.resize->as<ResizeImage>()->spec;
  rewriter.copy_onto(id,
                     ResizeNormalize{spec, normalize.constants, normalize.channels, normalize.to},
                     rewriter.map(took.resize->inputs));
}

std::string sentence(const Neighbours& took) {
  std::vector<std::string> names;
  for (const Node* node : {took.resize, took.cast}) {
    if (node != nullptr) names.push_back(cat("'", node->name, "'"));
  }
  return cat("took ", joined(names, " and "), " over");
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
    Neighbours took;
    if (node.as<NormalizeImage>() != nullptr) {
      took = neighbours(graph, id, read_by[static_cast<std::size_t>(id)], context);
    }
    if (took.resize == nullptr && took.cast == nullptr) {
      rewriter.copy(id);
      continue;
    }
    if (took.cast != nullptr) taken_over.push_back(took.cast);
    add_fused(id, *node.as<NormalizeImage>(), took, rewriter);
    context.report.take(kName, node.name, sentence(took));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
