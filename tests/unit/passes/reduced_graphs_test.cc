// reduce-precision on random graphs: close to float32 by a stated bound, and done once.
#include <gtest/gtest.h>

#include "engine/graph/graph_io.h"
#include "engine/graph/half.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"
#include "tests/support/random_graph.h"
#include "tests/support/rounding_bound.h"

namespace fovea {
namespace {

/// bf16 errs by 2^-9 where float32 errs by 2^-24; as much again for what first order leaves out.
constexpr double kRoundings = 2.0 * 0x1p15;

/// The graph with x * 1 behind every float32 value, which the bound grants a rounding: operators
/// that only select and clamp have none of their own, and may be where a value becomes bf16.
Graph with_granted_roundings(const Graph& graph) {
  Rewriter rewriter(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    rewriter.copy(id);
    const Node& node = graph.node(id);
    if (node.as<Constant>() != nullptr || node.outputs[0].dtype != DType::kFloat32) continue;
    rewriter.replace(Value{id, 0},
                     rewriter.add(Rescale{}, {rewriter.map({id, 0})}, node.name + "/granted"));
  }
  return rewriter.finish();
}

TEST(ReducedGraphs, AreCloseAndReducedOnce) {
  int reduced = 0;
  for (std::uint64_t seed = 0; seed < 400 && !HasFailure(); ++seed) {
    Graph folded = test::random_graph(seed);
    PassContext folding;
    (void)find_pass("fold-constants").run(folded, folding);  // the bound grants constants nothing
    const Graph before = with_batch(with_granted_roundings(folded), 2);
    const auto inputs = test::random_graph_inputs(before, seed);
    Graph after = before;
    PassContext context;
    context.precision = Precision::kBf16;
    if (!find_pass("reduce-precision").run(after, context)) continue;
    ++reduced;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\nBefore:\n" + graph_json(before));

    after.verify();
    const auto values = test::evaluate_nodes(before, inputs);
    const auto bounds = test::rounding_bounds(before, values, kRoundings);
    const auto results = test::evaluate_nodes(after, inputs);
    for (std::size_t i = 0; i < after.outputs().size(); ++i) {
      const Value is = after.outputs()[i].value;
      const Value was = before.outputs()[i].value;
      EXPECT_EQ(after.desc(is), before.desc(was));
      const auto& actual =
          results[static_cast<std::size_t>(is.node)][static_cast<std::size_t>(is.output)];
      const auto problem = test::mismatch(before, values, bounds, was, actual);
      EXPECT_FALSE(problem) << "output '" << before.outputs()[i].name << "': " << *problem;
    }
    Graph twice = after;
    EXPECT_FALSE(find_pass("reduce-precision").run(twice, context));
    EXPECT_EQ(to_dot(twice), to_dot(after));
    // Of the pass's own casts none undoes another one.
    for (const Node& node : after.nodes()) {
      if (node.as<Cast>() == nullptr || before.find(node.name) >= 0) continue;
      const Node& source = after.node(node.inputs[0]);
      EXPECT_TRUE(source.as<Cast>() == nullptr || before.find(source.name) >= 0) << node.name;
    }
  }
  EXPECT_GE(reduced, 200);
}

}  // namespace
}  // namespace fovea
