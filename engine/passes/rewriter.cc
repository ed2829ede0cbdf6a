#include "engine/passes/rewriter.h"

namespace fovea {

std::vector<Value> Rewriter::map(std::span<const Value> old) const {
  std::vector<Value> values;
  values.reserve(old.size());
  for (const Value& value : old) values.push_back(map(value));
  return values;
}

void Rewriter::copy(NodeId id) {
  copy_with(id, from_.node(id).op);
}

void Rewriter::copy_with(NodeId id, Op op) {
  copy_onto(id, std::move(op), map(from_.node(id).inputs));
}

void Rewriter::copy_onto(NodeId id, Op op, std::vector<Value> inputs) {
  const Node& node = from_.node(id);
  replace_by(id, to_.add_as(node, std::move(op), std::move(inputs)).node);
}

void Rewriter::replace_by(NodeId id, NodeId same) {
  auto& values = map_[static_cast<std::size_t>(id)];
  for (std::size_t i = 0; i < from_.node(id).outputs.size(); ++i) {
    values.push_back({same, static_cast<std::int32_t>(i)});
  }
}

Graph Rewriter::finish() {
  for (const GraphOutput& output : from_.outputs()) {
    to_.mark_output(map(output.value), output.name);
  }
  to_.compact();
  return std::move(to_);
}

}  // namespace fovea
