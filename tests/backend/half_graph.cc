#include "tests/backend/half_graph.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "engine/graph/half.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

namespace {

/// The values as `half` holds them.
Floats rounded(const Floats& values, DType half) {
  const TensorDesc desc{half, {static_cast<std::int64_t>(values.size())}};
  return to_floats({&desc, to_bytes(desc, values).data()});
}

/// Copies a graph node by node.
class Copy {
 public:
  Copy(const Graph& from, DType half, bool cast) : from_(from), half_(half), cast_(cast) {
    for (NodeId id = 0; id < from.size(); ++id) values_.push_back(copied(id));
  }

  Graph finish() {
    for (const GraphOutput& output : from_.outputs()) {
      Value value = now(output.value);
      if (cast_) value = graph_.add(Cast{}, {value}, output.name + "/f32");
      graph_.mark_output(value, output.name);
    }
    return std::move(graph_);
  }

 private:
  [[nodiscard]] Value now(Value old) const {
    return {values_[static_cast<std::size_t>(old.node)].node, old.output};
  }

  Value copied(NodeId id) {
    const Node& node = from_.node(id);
    const auto* constant = node.as<Constant>();
    if (constant != nullptr && constant->desc.shape.size() > 1) {
      return graph_.add(
          make_constant(constant->desc.shape, rounded(*constant_floats(from_, {id, 0}), half_)),
          {},
          node.name);
    }
    std::vector<Value> inputs;
    for (const Value& input : node.inputs) inputs.push_back(now(input));
    const Value value = graph_.add(node.op, std::move(inputs), node.name);
    const bool is_picture = cast_ && node.as<Input>() != nullptr;
    if (!is_picture || graph_.desc(value).dtype != DType::kFloat32) return value;
    return graph_.add(Cast{half_}, {value}, node.name + "/half");
  }

  const Graph& from_;
  DType half_;
  bool cast_;
  Graph graph_;
  std::vector<Value> values_;  ///< of the copy, by the node
};

}  // namespace

Graph with_weights_of(const Graph& from, DType half) {
  return Copy(from, half, false).finish();
}

Graph in_half(const Graph& from, DType half) {
  return Copy(from, half, true).finish();
}

namespace {

bool runs_in_half(const Graph& graph) {
  return std::ranges::all_of(graph.nodes(), [](const Node& node) {
    const bool moves = node.as<Concat>() != nullptr || node.as<Slice>() != nullptr ||
                       node.as<Reshape>() != nullptr || node.as<Transpose>() != nullptr ||
                       node.as<Identity>() != nullptr;
    const bool leaf = node.inputs.empty() && node.outputs[0].dtype == DType::kFloat32;
    return leaf || moves || takes_half(node.op);
  });
}

}  // namespace

std::vector<OpCase> half_cases() {
  std::vector<OpCase> cases;
  std::ranges::copy_if(op_cases(), std::back_inserter(cases), [](const OpCase& c) {
    return runs_in_half(c.build());
  });
  return cases;
}

}  // namespace fovea::test
