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

bool is_large_constant(const Node& node) {
  const auto* constant = node.as<Constant>();
  return constant != nullptr && constant->data != nullptr && constant->data->size() > kCheapBytes;
}

/// What two equal nodes have in common and that is quick to look up; the shape tells constants
/// apart. Large constants that a node reads are left out, so that nodes which differ in nothing
/// else are found as well.
using Key = std::tuple<std::size_t, std::vector<std::pair<NodeId, std::int32_t>>, Shape>;

Key key_of(const Graph& graph, const Node& node, const std::vector<Value>& inputs) {
  std::vector<std::pair<NodeId, std::int32_t>> values;
  values.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool is_known = !is_large_constant(graph.node(node.inputs[i]));
    values.emplace_back(is_known ? inputs[i].node : -1, inputs[i].output);
  }
  return {node.op.index(), std::move(values), node.outputs[0].shape};
}

/// Whether two nodes of one key differ in the large constants that they read, which may be equal.
bool may_be_same(const Graph& graph,
                 const Node& a,
                 const std::vector<Value>& inputs,
                 const Op& op) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (graph.desc(a.inputs[i]) != graph.desc(inputs[i])) return false;
  }
  return !inputs.empty() && a.op == op;
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
    const std::vector<Value> inputs = rewriter.map(node.inputs);
    std::vector<NodeId>& candidates = known[key_of(graph, node, inputs)];
    const Graph& done = rewriter.result();
    const auto equal = std::ranges::find_if(candidates, [&](NodeId other) {
      return done.node(other).inputs == inputs && same(done.node(other).op, node.op);
    });
    if (equal == candidates.end()) {
      const auto like = std::ranges::find_if(candidates, [&](NodeId other) {
        return may_be_same(done, done.node(other), inputs, node.op);
      });
      if (like != candidates.end()) {
        context.report.refuse(kName,
                              node.name,
                              cat("is like '",
                                  done.node(*like).name,
                                  "', but its weights are too large to be compared"));
      }
      rewriter.copy(id);
      candidates.push_back(rewriter.map({id, 0}).node);
      continue;
    }
    rewriter.replace_by(id, *equal);
    context.report.take(kName, node.name, cat("is '", done.node(*equal).name, "' once more"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
