// The intermediate representation: a list of nodes in topological order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/types.h>

#include "engine/graph/op.h"

namespace fovea {

/// Index of a node in its graph; stays valid until Graph::compact().
using NodeId = std::int32_t;

/// One output of one node.
struct Value {
  NodeId node = -1;
  std::int32_t output = 0;

  bool operator==(const Value&) const = default;
};

/// One operator application. Its name is unique in the graph and names output 0; output i > 0 is
/// called "name:i".
struct Node {
  Op op;
  std::vector<Value> inputs;
  std::vector<TensorDesc> outputs;
  std::string name;

  /// The class of the layer, in the description that the graph was built from, whose result this
  /// node is: "Conv2D". Empty inside a layer, and where nothing is known. See layers.h. Like
  /// `trainable` it is for people and for reading weights; passes need not keep it.
  std::string layer{};

  /// Of a Constant that is a parameter of such a layer: whether training changes it.
  std::optional<bool> trainable{};

  /// The operator as OpT, or nullptr when it is another one.
  template <typename OpT>
  [[nodiscard]] const OpT* as() const {
    return std::get_if<OpT>(&op);
  }
};

/// A value that leaves the graph, under its public name.
struct GraphOutput {
  Value value;
  std::string name;

  bool operator==(const GraphOutput&) const = default;
};

/// A directed acyclic graph. Nodes are values owned by the graph and referred to by NodeId; a node
/// only refers to nodes before it, so the storage order is an execution order. Copying copies the
/// nodes and shares the weights. Not thread-safe; a const Graph may be read by many threads.
class Graph {
 public:
  /// Appends a node and infers its outputs; returns its output 0.
  /// Throws InvalidArgument, naming the node, for inputs that the operator does not take.
  Value add(Op op, std::vector<Value> inputs, std::string name);

  /// Appends `op` under the name of `origin`, a node of any graph, and with what is recorded of it.
  Value add_as(const Node& origin, Op op, std::vector<Value> inputs);

  /// Makes a value an output of the graph; an empty name means the value's own.
  void mark_output(Value value, std::string name = {});

  [[nodiscard]] NodeId size() const { return static_cast<NodeId>(nodes_.size()); }

  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }

  [[nodiscard]] const Node& node(NodeId id) const {
    return nodes_.at(static_cast<std::size_t>(id));
  }

  [[nodiscard]] const Node& node(Value value) const { return node(value.node); }

  [[nodiscard]] const TensorDesc& desc(Value value) const {
    return node(value).outputs.at(static_cast<std::size_t>(value.output));
  }

  [[nodiscard]] std::span<const GraphOutput> outputs() const { return outputs_; }

  /// The nodes whose operator is Input, in order.
  [[nodiscard]] std::vector<NodeId> inputs() const;

  /// The node of that name, or -1.
  [[nodiscard]] NodeId find(std::string_view name) const;

  /// Number of node inputs and graph outputs that refer to any output of the node.
  [[nodiscard]] int use_count(NodeId id) const { return uses_.at(static_cast<std::size_t>(id)); }

  /// Replaces the operator of a node; its outputs must stay what they are.
  void replace_op(NodeId id, Op op);

  /// Gives a node another name.
  void rename(NodeId id, std::string name);

  /// Records that the node is the result of a layer of that class.
  void set_layer(NodeId id, std::string layer);

  /// Records that the node, a Constant, is a parameter.
  void set_trainable(NodeId id, bool trainable);

  /// Drops all outputs, for a caller that marks others.
  void clear_outputs();

  /// Removes nodes that no output needs; inputs stay. Returns true when something was removed.
  bool compact();

  /// Throws Error (internal) when an invariant does not hold: order, shapes, unique names.
  void verify() const;

 private:
  [[nodiscard]] std::vector<TensorDesc> input_descs(std::span<const Value> inputs) const;

  std::vector<Node> nodes_;
  std::vector<GraphOutput> outputs_;
  std::vector<int> uses_;  ///< use_count() of every node
};

/// "name", or "name:i" for a later output.
[[nodiscard]] std::string value_name(const Graph& graph, Value value);

/// The same graph with the symbolic batch replaced by `batch` everywhere; batch >= 1.
[[nodiscard]] Graph with_batch(const Graph& graph, std::int64_t batch);

/// Graphviz text, one line per node in execution order; stable across runs.
[[nodiscard]] std::string to_dot(const Graph& graph);

}  // namespace fovea
