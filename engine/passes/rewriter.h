// Builds the rewritten graph beside the old one, so that order and uses stay right by construction.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/names.h"

namespace fovea {

/// A pass walks the old nodes in order and for each either copies it or adds something else and
/// says what its values became. Values of the old graph and of the new one must not be mixed up:
/// inputs of add() are new ones, everything passed to map() and replace() first is an old one.
class Rewriter {
 public:
  explicit Rewriter(const Graph& from) : from_(from), names_(from), map_(from.nodes().size()) {}

  /// What an old value has become.
  [[nodiscard]] Value map(Value old) const {
    return map_[static_cast<std::size_t>(old.node)].at(static_cast<std::size_t>(old.output));
  }

  [[nodiscard]] std::vector<Value> map(std::span<const Value> old) const;

  /// Adds a node that the old graph has not, under that name or, where a node has it, one like it.
  Value add(Op op, std::vector<Value> inputs, std::string name) {
    return to_.add(std::move(op), std::move(inputs), names_.take(std::move(name)));
  }

  [[nodiscard]] const Graph& result() const { return to_; }

  /// Copies an old node as it is.
  void copy(NodeId id);

  /// Copies an old node with another operator; the inputs stay.
  void copy_with(NodeId id, Op op);

  /// Puts an operator on other inputs, which are new values, in the place of an old node.
  void copy_onto(NodeId id, Op op, std::vector<Value> inputs);

  /// From now on output 0 of the old node `id` is `value`.
  void replace(NodeId id, Value value) { map_[static_cast<std::size_t>(id)] = {value}; }

  /// From now on the old value is `value`.
  void replace(Value old, Value value) {
    map_[static_cast<std::size_t>(old.node)].at(static_cast<std::size_t>(old.output)) = value;
  }

  /// From now on every output of the old node `id` is that of the new node `same`.
  void replace_by(NodeId id, NodeId same);

  /// The new graph with the old outputs, without nodes that nothing needs.
  [[nodiscard]] Graph finish();

 private:
  const Graph& from_;
  Graph to_;
  Names names_;
  std::vector<std::vector<Value>> map_;
};

}  // namespace fovea
