#include "engine/passes/bisect.h"

#include <vector>

#include "engine/graph/tensor_difference.h"

namespace fovea {

namespace {

/// A pass may let a graph begin later: an input is then what the node of that name was.
std::vector<TensorBytes> inputs_of(const Graph& after, const Bisection& what) {
  Graph before = with_batch(what.graph, what.batch);
  before.clear_outputs();
  for (const NodeId id : after.inputs()) {
    before.mark_output({before.find(after.node(id).name), 0});
  }
  before.compact();
  return evaluate_graph(before, what.inputs);
}

std::vector<TensorBytes> outputs_after(const Bisection& what, std::span<const Pass> passes) {
  Graph graph = what.graph;
  PassContext context;
  context.traits = what.traits;
  context.precision = what.precision;
  run_passes(graph, passes, context);
  return evaluate_graph(with_batch(graph, what.batch), inputs_of(graph, what));
}

}  // namespace

std::string first_differing_pass(const Bisection& what, std::span<const Pass> passes) {
  const Graph described = with_batch(what.graph, what.batch);
  const std::vector<TensorBytes> expected = outputs_after(what, {});
  const auto differs = [&](std::span<const Pass> some) {
    const std::vector<TensorBytes> outputs = outputs_after(what, some);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const TensorDesc& desc = described.desc(described.outputs()[i].value);
      if (desc.dtype != DType::kFloat32) continue;
      const TensorDifference apart =
          difference({&desc, expected[i].data()}, {&desc, outputs[i].data()});
      if (apart.max_rel > what.tolerance) return true;
    }
    return false;
  };
  if (!differs(passes)) return {};
  std::size_t same = 0;  // so many passes change nothing
  std::size_t other = passes.size();
  while (other - same > 1) {
    const std::size_t middle = same + (other - same) / 2;
    (differs(passes.first(middle)) ? other : same) = middle;
  }
  return std::string(passes[other - 1].name);
}

}  // namespace fovea
