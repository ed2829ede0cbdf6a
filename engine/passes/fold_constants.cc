// f(Constant, ...)  ==>  Constant
//
// Legal where every input is a Constant with data: the value is computed once, by the operator's
// own definition. A Transpose moves nothing: its Constant is the same data, read with other
// strides, and backends pack it from where it lies.
#include <algorithm>
#include <vector>

#include "engine/graph/ops/strided_copy.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

/// The Constant behind a new-graph value, or nullptr where its data is not known yet.
const Constant* known(const Graph& graph, Value value) {
  const Constant* constant = graph.node(value).as<Constant>();
  return constant != nullptr && constant->data != nullptr ? constant : nullptr;
}

Constant evaluate_constant(const Graph& graph, const Node& node, const std::vector<Value>& inputs) {
  const TensorDesc& desc = node.outputs[0];
  if (const auto* transpose = node.as<Transpose>()) {
    const Constant& source = *known(graph, inputs[0]);
    return {desc, source.data, permuted(source.element_strides(), transpose->perm)};
  }
  std::vector<PinnedBytes> bytes_of_inputs;
  std::vector<ConstTensorView> views;
  for (const Value& input : inputs) {
    const Constant* constant = known(graph, input);
    bytes_of_inputs.push_back(constant->read());
    views.push_back({&constant->desc, bytes_of_inputs.back().data()});
  }
  std::vector<std::byte> bytes(byte_size(desc));
  const TensorView output{&desc, bytes.data()};
  evaluate(node.op, views, {&output, 1});
  return {desc, Buffer::from(std::move(bytes))};
}

}  // namespace

bool fold_constants(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    std::vector<Value> inputs = rewriter.map(node.inputs);
    const bool foldable = !inputs.empty() && node.outputs.size() == 1 &&
                          std::all_of(inputs.begin(), inputs.end(), [&](const Value& value) {
                            return known(rewriter.result(), value) != nullptr;
                          });
    if (!foldable) {
      rewriter.copy(id);
      continue;
    }
    Constant folded = evaluate_constant(rewriter.result(), node, inputs);
    rewriter.copy_onto(id, std::move(folded), {});
    context.report.take("fold-constants", node.name, "computed at compile time");
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
