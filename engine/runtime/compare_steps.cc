#include "engine/runtime/compare_steps.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/core/require.h"
#include "engine/runtime/plan_trace.h"

namespace fovea {

namespace {

/// What the plan computed, node by node.
class Values {
 public:
  Values(const Graph& graph, std::span<const TensorBytes> inputs)
      : graph_(graph), values_(graph.nodes().size()) {
    const std::vector<NodeId> ids = graph.inputs();
    for (std::size_t i = 0; i < ids.size(); ++i) set(ids[i], {inputs[i]});
  }

  void set(NodeId id, std::vector<TensorBytes> outputs) {
    values_[static_cast<std::size_t>(id)] = std::move(outputs);
  }

  /// A node without a step has the value that follows from its inputs.
  const TensorBytes& get(Value value) {
    auto& outputs = values_[static_cast<std::size_t>(value.node)];
    if (outputs.empty()) outputs = by_definition(value.node);
    return outputs[static_cast<std::size_t>(value.output)];
  }

  [[nodiscard]] std::vector<TensorBytes> by_definition(NodeId id) {
    const Node& node = graph_.node(id);
    std::vector<const std::byte*> sources;
    sources.reserve(node.inputs.size());
    for (const Value& input : node.inputs) sources.push_back(get(input).data());
    return evaluate_node(graph_, node, sources);
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<TensorBytes>> values_;
};

ConstTensorView view(const TensorDesc& desc, const TensorBytes& bytes) {
  return {&desc, bytes.data()};
}

/// The scores that the indices of a TopK point at, as a tensor of the values' description; NaN
/// where an index points at nothing.
TensorBytes scores_at(const ConstTensorView& scores, const ConstTensorView& indices) {
  const auto row = static_cast<std::size_t>(scores.dim(1));
  const auto best = static_cast<std::size_t>(indices.dim(1));
  const auto x = scores.floats();
  const auto chosen = indices.as<std::int32_t>();
  TensorBytes bytes(chosen.size() * sizeof(float));
  auto* y = reinterpret_cast<float*>(bytes.data());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const bool is_there = chosen[i] >= 0 && std::cmp_less(chosen[i], row);
    y[i] = is_there ? x[i / best * row + static_cast<std::size_t>(chosen[i])]
                    : std::numeric_limits<float>::quiet_NaN();
  }
  return bytes;
}

TensorDifference larger(const TensorDifference& a, const TensorDifference& b) {
  return {
      std::max(a.max_abs, b.max_abs), std::max(a.max_rel, b.max_rel), std::min(a.cosine, b.cosine)};
}

TensorDifference compare(const Graph& graph,
                         const Node& node,
                         Values& values,
                         const std::vector<TensorBytes>& defined,
                         const std::vector<TensorBytes>& computed) {
  const TensorDifference first =
      difference(view(node.outputs[0], defined[0]), view(node.outputs[0], computed[0]));
  if (node.as<TopK>() == nullptr) return first;
  // Two scores that are equal up to rounding may change places; their scores are then equal, too.
  const ConstTensorView scores = view(graph.desc(node.inputs[0]), values.get(node.inputs[0]));
  const TensorDesc picked{DType::kFloat32, node.outputs[1].shape};
  const TensorBytes wanted = scores_at(scores, view(node.outputs[1], defined[1]));
  const TensorBytes got = scores_at(scores, view(node.outputs[1], computed[1]));
  return larger(first, difference(view(picked, wanted), view(picked, got)));
}

}  // namespace

std::vector<TensorBytes> compare_steps(const std::shared_ptr<const ExecutionPlan>& plan,
                                       const BucketPlan& bucket,
                                       std::span<const TensorBytes> inputs,
                                       const OnStepCompared& on_step) {
  const Graph graph = with_batch(plan->graph, bucket.batch);
  PlanTrace trace(plan, bucket);
  trace.upload(inputs);
  Values values(graph, inputs);
  trace.run([&](std::size_t index, float /*milliseconds*/) {
    const PlannedStep& step = bucket.steps[index];
    if (step.node == kNoNode) return;
    std::vector<TensorBytes> computed;
    computed.reserve(step.outputs.size());
    for (const SlotId slot : step.outputs) computed.push_back(trace.read(slot));
    const std::vector<TensorBytes> defined = values.by_definition(step.node);
    on_step(step, compare(graph, graph.node(step.node), values, defined, computed));
    values.set(step.node, std::move(computed));
  });

  std::vector<TensorBytes> outputs;
  outputs.reserve(bucket.outputs.size());
  for (const SlotId slot : bucket.outputs) outputs.push_back(trace.read(slot));
  return outputs;
}

}  // namespace fovea
