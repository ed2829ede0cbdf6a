// One pass on one small graph: did it change it, and is the meaning still the same?
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "tests/support/evaluate_graph.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

/// A target that fuses everything.
inline PassContext fusing_context() {
  PassContext context;
  context.traits.fused_activations = ~0U;
  context.traits.fuses_residual = true;
  context.traits.writes_slices = true;
  context.traits.reads_slices = true;
  context.traits.partial_activations = ~0U;
  context.traits.fuses_pool_activation = true;
  context.traits.fuses_softmax_topk = true;
  context.traits.fuses_input_relu = true;
  context.traits.fuses_resize_normalize = true;
  context.traits.most_separable_filters = 256;
  return context;
}

inline Value random_constant(Graph& graph,
                             const Shape& shape,
                             std::uint64_t seed,
                             const std::string& name) {
  return graph.add(make_constant(shape, random_floats(num_elements(shape), seed)), {}, name);
}

/// Values in [0.5, 1.5]: what variances and the like must be.
inline Value positive_constant(Graph& graph,
                               const Shape& shape,
                               std::uint64_t seed,
                               const std::string& name) {
  Floats values = random_floats(num_elements(shape), seed);
  for (float& value : values) value = 1.0F + value / 4.0F;
  return graph.add(make_constant(shape, values), {}, name);
}

template <typename OpT>
int count_ops(const Graph& graph) {
  const auto nodes = graph.nodes();
  return static_cast<int>(std::count_if(
      nodes.begin(), nodes.end(), [](const Node& node) { return node.as<OpT>() != nullptr; }));
}

/// The largest difference between the first outputs of two graphs on the same random inputs.
inline float difference(const Graph& before, const Graph& after) {
  const Graph a = with_batch(before, 2);
  const Graph b = with_batch(after, 2);
  std::map<std::string, Bytes> inputs;
  for (const auto& [name, values] : random_inputs(a, 2, 11)) {
    inputs[name] = to_bytes(a.desc({a.find(name), 0}), values);
  }
  const auto value = [&](const Graph& graph) {
    const Value output = graph.outputs()[0].value;
    const NodeValues values = evaluate_nodes(graph, inputs);
    return to_floats(
        {&graph.desc(output), values[static_cast<std::size_t>(output.node)][0].data()});
  };
  const Floats want = value(a);
  const Floats got = value(b);
  EXPECT_EQ(got.size(), want.size());
  float worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
  return worst;
}

/// The reason of the only refusal in the report, or "".
inline std::string refusal(const PassContext& context) {
  for (const Decision& decision : context.report.decisions()) {
    if (!decision.taken) return decision.reason;
  }
  return {};
}

}  // namespace fovea::test
