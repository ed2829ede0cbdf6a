// f(x) and, later, f(x) again  ==>  the first one, for the users of both
//
// Legal when both have the same operator with the same attributes, and the same inputs: an operator
// has no state. Constants are the same where their data is known to be: buffers of one identity, or
// few bytes that are equal; large ones are not read for this.
#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "merge-equal-nodes";

/// Bytes of a constant that are compared where its identity does not tell: biases, scales.
constexpr std::size_t kCheapBytes = 16'384;

bool same_data(const Constant& a, const Constant& b) {
  if (a.desc != b.desc || a.data == nullptr || b.data == nullptr) return false;
  return a.key() == b.key() || (a.data->size() <= kCheapBytes && a == b);
}

bool same(const Op& a, const Op& b) {
  const auto* constant = std::get_if<Constant>(&a);
  if (constant == nullptr) return a == b;
  const auto* other = std::get_if<Constant>(&b);
  return other != nullptr && same_data(*constant, *other);
}

/// What two equal nodes have in common and that is quick to look up; the shape tells constants
/// apart.
using Key = std::tuple<std::size_t, std::vector<std::pair<NodeId, std::int32_t>>, Shape>;

Key key_of(const Node& node, const std::vector<Value>& inputs) {
  std::vector<std::pair<NodeId, std::int32_t>> values;
  values.reserve(inputs.size());
  for (const Value& input : inputs) values.emplace_back(input.node, input.output);
  return {node.op.index(), std::move(values), node.outputs[0].shape};
}

}  // namespace

bool merge_equal_nodes(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  std::map<Key, std::vector<NodeId>> known;  // nodes of the new graph
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.as<Input>() != nullptr) {
      rewriter.copy(id);
      continue;
    }
    std::vector<NodeId>& candidates = known[key_of(node, rewriter.map(node.inputs))];
    const auto equal = std::ranges::find_if(
        candidates, [&](NodeId other) { return same(rewriter.result().node(other).op, node.op); });
    if (equal == candidates.end()) {
      rewriter.copy(id);
      candidates.push_back(rewriter.map({id, 0}).node);
      continue;
    }
    rewriter.replace_by(id, *equal);
    context.report.take(
        kName, node.name, cat("is '", rewriter.result().node(*equal).name, "' once more"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
