// Identity(x), Reshape(x) to x's shape, Rescale by 1 plus 0, Transpose that moves nothing  ==>  x
// Transpose(q)(Transpose(p)(x))  ==>  Transpose(p after q)(x)
//
// Always legal: every element keeps its value and place. A no-op that produces a graph output stays
// only as that output's name.
#include <numeric>

#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

bool moves_nothing(const Transpose& transpose) {
  std::vector<std::int64_t> still(transpose.perm.size());
  std::iota(still.begin(), still.end(), 0);
  return transpose.perm == still;
}

bool is_no_op(const Graph& graph, const Node& node) {
  if (node.as<Identity>() != nullptr) return true;
  if (node.as<Reshape>() != nullptr) return node.outputs[0] == graph.desc(node.inputs[0]);
  if (const auto* rescale = node.as<Rescale>()) {
    return rescale->scale == 1.0 && rescale->offset == 0.0;
  }
  const auto* transpose = node.as<Transpose>();
  return transpose != nullptr && moves_nothing(*transpose);
}

/// perm of Transpose(second)(Transpose(first)(x)) as one Transpose.
Transpose compose(const Transpose& first, const Transpose& second) {
  Transpose both;
  for (const std::int64_t d : second.perm) {
    both.perm.push_back(first.perm[static_cast<std::size_t>(d)]);
  }
  return both;
}

}  // namespace

bool remove_no_ops(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (is_no_op(graph, node)) {
      rewriter.replace(id, rewriter.map(node.inputs[0]));
      context.report.take("remove-no-ops", node.name, "removed");
      changed = true;
      continue;
    }
    const auto* transpose = node.as<Transpose>();
    const Transpose* before =
        transpose == nullptr ? nullptr
                             : rewriter.result().node(rewriter.map(node.inputs[0])).as<Transpose>();
    if (before == nullptr) {
      rewriter.copy(id);
      continue;
    }
    const Value source = rewriter.result().node(rewriter.map(node.inputs[0])).inputs[0];
    const Transpose both = compose(*before, *transpose);
    rewriter.replace(id, moves_nothing(both) ? source : rewriter.add(both, {source}, node.name));
    context.report.take("remove-no-ops", node.name, "merged with the Transpose before it");
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
