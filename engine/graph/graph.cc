#include "engine/graph/graph.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// Whether the value is an output of one of these nodes.
bool exists(std::span<const Node> nodes, Value value) {
  if (value.node < 0 || value.node >= static_cast<NodeId>(nodes.size())) return false;
  const Node& node = nodes[static_cast<std::size_t>(value.node)];
  return value.output >= 0 && value.output < static_cast<std::int32_t>(node.outputs.size());
}

/// infer() with the node in the message.
std::vector<TensorDesc> infer_named(const Op& op,
                                    std::span<const TensorDesc> inputs,
                                    std::string_view name) {
  try {
    return infer(op, inputs);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(cat(op_name(op), " '", name, "': ", error.what()));
  }
}

}  // namespace

Value Graph::add(Op op, std::vector<Value> inputs, std::string name) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (exists(nodes_, inputs[i])) continue;
    throw InvalidArgument(cat(op_name(op),
                              " '",
                              name,
                              "': input ",
                              i,
                              " is output ",
                              inputs[i].output,
                              " of node ",
                              inputs[i].node,
                              ", which does not exist before it"));
  }
  std::vector<TensorDesc> outputs = infer_named(op, input_descs(inputs), name);
  for (const Value& input : inputs) ++uses_[static_cast<std::size_t>(input.node)];
  uses_.push_back(0);
  nodes_.push_back({.op = std::move(op),
                    .inputs = std::move(inputs),
                    .outputs = std::move(outputs),
                    .name = std::move(name)});
  return {size() - 1, 0};
}

Value Graph::add_as(const Node& origin, Op op, std::vector<Value> inputs) {
  std::string layer = origin.layer;  // the origin may be a node of this graph, which moves
  const std::optional<bool> trainable = origin.trainable;
  const Value result = add(std::move(op), std::move(inputs), origin.name);
  nodes_.back().layer = std::move(layer);
  nodes_.back().trainable = trainable;
  return result;
}

void Graph::mark_output(Value value, std::string name) {
  if (!exists(nodes_, value)) {
    throw InvalidArgument(cat("the graph output '",
                              name,
                              "' is output ",
                              value.output,
                              " of node ",
                              value.node,
                              ", which does not exist"));
  }
  if (name.empty()) name = value_name(*this, value);
  ++uses_[static_cast<std::size_t>(value.node)];
  outputs_.push_back({value, std::move(name)});
}

std::vector<NodeId> Graph::inputs() const {
  std::vector<NodeId> ids;
  for (NodeId id = 0; id < size(); ++id) {
    if (node(id).as<Input>() != nullptr) ids.push_back(id);
  }
  return ids;
}

NodeId Graph::find(std::string_view name) const {
  const auto found =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.name == name; });
  return found == nodes_.end() ? -1 : static_cast<NodeId>(found - nodes_.begin());
}

void Graph::replace_op(NodeId id, Op op) {
  Node& node = nodes_.at(static_cast<std::size_t>(id));
  if (infer_named(op, input_descs(node.inputs), node.name) != node.outputs) {
    throw InvalidArgument(cat(op_name(op),
                              " in place of ",
                              op_name(node.op),
                              " '",
                              node.name,
                              "' changes its outputs from ",
                              to_string(node.outputs[0])));
  }
  node.op = std::move(op);
}

void Graph::rename(NodeId id, std::string name) {
  nodes_.at(static_cast<std::size_t>(id)).name = std::move(name);
}

void Graph::set_layer(NodeId id, std::string layer) {
  nodes_.at(static_cast<std::size_t>(id)).layer = std::move(layer);
}

void Graph::set_trainable(NodeId id, bool trainable) {
  Node& node = nodes_.at(static_cast<std::size_t>(id));
  require(node.as<Constant>() != nullptr, "only a Constant is a parameter");
  node.trainable = trainable;
}

void Graph::clear_outputs() {
  for (const GraphOutput& output : outputs_) --uses_[static_cast<std::size_t>(output.value.node)];
  outputs_.clear();
}

bool Graph::compact() {
  std::vector<bool> live(nodes_.size(), false);
  for (const GraphOutput& output : outputs_) {
    live[static_cast<std::size_t>(output.value.node)] = true;
  }
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (const Value& input : nodes_[i].inputs) live[static_cast<std::size_t>(input.node)] = true;
  }

  std::vector<NodeId> remap(nodes_.size(), -1);
  std::vector<Node> kept;
  uses_.clear();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!live[i] && nodes_[i].as<Input>() == nullptr) continue;
    remap[i] = static_cast<NodeId>(kept.size());
    for (Value& input : nodes_[i].inputs) {
      input.node = remap[static_cast<std::size_t>(input.node)];
      ++uses_[static_cast<std::size_t>(input.node)];
    }
    kept.push_back(std::move(nodes_[i]));
    uses_.push_back(0);
  }
  for (GraphOutput& output : outputs_) {
    output.value.node = remap[static_cast<std::size_t>(output.value.node)];
    ++uses_[static_cast<std::size_t>(output.value.node)];
  }

  const bool changed = kept.size() != nodes_.size();
  nodes_ = std::move(kept);
  return changed;
}

void Graph::verify() const {
  const auto fail = [](const std::string& what) {
    throw Error(ErrorCode::kInternal, cat("the graph is damaged: ", what));
  };
  std::unordered_set<std::string_view> names;
  for (NodeId id = 0; id < size(); ++id) {
    const Node& node = this->node(id);
    if (!names.insert(node.name).second) fail(cat("two nodes are called '", node.name, "'"));
    for (const Value& input : node.inputs) {
      if (input.node >= id || !exists(nodes_, input)) {
        fail(cat("'", node.name, "' comes before its input"));
      }
    }
    try {
      if (infer(node.op, input_descs(node.inputs)) == node.outputs) continue;
    } catch (const InvalidArgument& error) {
      fail(cat("'", node.name, "': ", error.what()));
    }
    fail(cat("'", node.name, "' has outputs that its operator does not make"));
  }
  names.clear();
  for (const GraphOutput& output : outputs_) {
    if (!exists(nodes_, output.value)) fail(cat("nothing makes the output '", output.name, "'"));
    if (!names.insert(output.name).second) {
      fail(cat("two outputs are called '", output.name, "'"));
    }
  }
}

std::vector<TensorDesc> Graph::input_descs(std::span<const Value> inputs) const {
  std::vector<TensorDesc> descs;
  descs.reserve(inputs.size());
  for (const Value& input : inputs) descs.push_back(desc(input));
  return descs;
}

std::string value_name(const Graph& graph, Value value) {
  const std::string& name = graph.node(value).name;
  return value.output == 0 ? name : cat(name, ':', value.output);
}

Graph with_batch(const Graph& graph, std::int64_t batch) {
  require(batch >= 1, "a batch has at least one picture");
  Graph bound;
  for (const Node& node : graph.nodes()) {
    Op op = node.op;
    if (auto* input = std::get_if<Input>(&op)) input->desc = with_batch(input->desc, batch);
    if (auto* reshape = std::get_if<Reshape>(&op)) {
      if (!reshape->shape.empty() && reshape->shape[0] == kBatch) reshape->shape[0] = batch;
    }
    bound.add_as(node, std::move(op), node.inputs);
  }
  for (const GraphOutput& output : graph.outputs()) bound.mark_output(output.value, output.name);
  return bound;
}

namespace {

/// The text between the quotes of a Graphviz string.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == '"' || character == '\\') result += '\\';
    result += character;
  }
  return result;
}

}  // namespace

std::string to_dot(const Graph& graph) {
  std::string text = "digraph {\n";
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    text += cat("  n",
                id,
                " [label=\"",
                escaped(node.name),
                "\\n",
                op_name(node.op),
                ' ',
                to_string(node.outputs.at(0)),
                "\"];\n");
    for (const Value& input : node.inputs) text += cat("  n", input.node, " -> n", id, ";\n");
  }
  return text + "}\n";
}

}  // namespace fovea
