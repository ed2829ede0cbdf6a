#include "engine/graph/graph.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/core/require.h"

namespace fovea {

Value Graph::add(Op op, std::vector<Value> inputs, std::string name) {
  const NodeId id = size();
  try {
    for (const Value& input : inputs) {
      require(input.node >= 0 && input.node < id, "an input must come before its node");
    }
    std::vector<TensorDesc> outputs = infer(op, input_descs(inputs));
    nodes_.push_back({std::move(op), std::move(inputs), std::move(outputs), std::move(name)});
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(cat(op_name(op), " '", name, "': ", error.what()));
  }
  return {id, 0};
}

void Graph::mark_output(Value value, std::string name) {
  (void)desc(value);
  if (name.empty()) name = value_name(*this, value);
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

int Graph::use_count(NodeId id) const {
  const auto uses_it = [id](const Value& value) { return value.node == id; };
  auto uses = std::count_if(
      outputs_.begin(), outputs_.end(), [&](const GraphOutput& o) { return uses_it(o.value); });
  for (const Node& node : nodes_) {
    uses += std::count_if(node.inputs.begin(), node.inputs.end(), uses_it);
  }
  return static_cast<int>(uses);
}

void Graph::replace_op(NodeId id, Op op) {
  Node& node = nodes_.at(static_cast<std::size_t>(id));
  require(infer(op, input_descs(node.inputs)) == node.outputs, "replace_op changes the outputs");
  node.op = std::move(op);
}

void Graph::rename(NodeId id, std::string name) {
  nodes_.at(static_cast<std::size_t>(id)).name = std::move(name);
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
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!live[i] && nodes_[i].as<Input>() == nullptr) continue;
    remap[i] = static_cast<NodeId>(kept.size());
    for (Value& input : nodes_[i].inputs) input.node = remap[static_cast<std::size_t>(input.node)];
    kept.push_back(std::move(nodes_[i]));
  }
  for (GraphOutput& output : outputs_) {
    output.value.node = remap[static_cast<std::size_t>(output.value.node)];
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
      if (input.node < 0 || input.node >= id) fail(cat("'", node.name, "' comes before its input"));
    }
    if (infer(node.op, input_descs(node.inputs)) != node.outputs) {
      fail(cat("'", node.name, "' has outputs that its operator does not make"));
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
    bound.add(std::move(op), node.inputs, node.name);
  }
  for (const GraphOutput& output : graph.outputs()) bound.mark_output(output.value, output.name);
  return bound;
}

std::string to_dot(const Graph& graph) {
  std::string text = "digraph {\n";
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    text += cat("  n",
                id,
                " [label=\"",
                node.name,
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
