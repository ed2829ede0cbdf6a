// Which pass changes what a graph computes.
#include "engine/passes/bisect.h"

#include <array>

#include <gtest/gtest.h>

#include "engine/graph/random_inputs.h"
#include "engine/passes/rewriter.h"

namespace fovea {
namespace {

bool keep(Graph& graph, PassContext& /*context*/) {
  Rewriter rewriter(graph);
  for (NodeId id = 0; id < graph.size(); ++id) rewriter.copy(id);
  graph = rewriter.finish();
  return true;
}

/// A Relu becomes a Clip that also cuts at 0.5.
bool cut(Graph& graph, PassContext& /*context*/) {
  Rewriter rewriter(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).as<Relu>() != nullptr) {
      rewriter.copy_with(id, Clip{.lo = 0, .hi = 0.5F});
    } else {
      rewriter.copy(id);
    }
  }
  graph = rewriter.finish();
  return true;
}

TEST(FirstDifferingPass, IsNamedWhereverItStands) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 64}}}, {}, "x");
  graph.mark_output(graph.add(Relu{}, {x}, "relu"));
  const auto inputs = random_inputs(with_batch(graph, 2), 1);
  const Bisection what{
      .graph = graph, .traits = {}, .batch = 2, .inputs = inputs, .tolerance = 1e-6};

  for (std::size_t bad = 0; bad < 5; ++bad) {
    std::array<Pass, 5> passes{{{"a", keep}, {"b", keep}, {"c", keep}, {"d", keep}, {"e", keep}}};
    EXPECT_EQ(first_differing_pass(what, passes), "");
    passes.at(bad).run = cut;
    EXPECT_EQ(first_differing_pass(what, passes), passes.at(bad).name);
  }
}

/// Pictures that are resized inside of the graph, then a Relu.
Graph resized_pictures() {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {4096}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  const PreprocessSpec spec{.height = 4, .width = 5};
  const Value resized = graph.add(ResizeImage{spec}, {pixels, table}, "resized");
  const Value x = graph.add(
      NormalizeImage{normalization_constants(Normalization::kTf)}, {resized}, "normalized");
  graph.mark_output(graph.add(Relu{}, {x}, "relu"));
  return graph;
}

TEST(FirstDifferingPass, IsFoundWhereTheGraphBeginsLaterOnTheWay) {
  const Graph graph = resized_pictures();
  const auto inputs = random_inputs(with_batch(graph, 2), 1);
  const Bisection what{
      .graph = graph, .traits = {}, .batch = 2, .inputs = inputs, .tolerance = 1e-6};
  std::array<Pass, 3> passes{{{"keep", keep}, find_pass("resize-on-host"), {"last", keep}}};

  EXPECT_EQ(first_differing_pass(what, passes), "");
  passes[2].run = cut;
  EXPECT_EQ(first_differing_pass(what, passes), "last");
  passes[2].run = keep;
  passes[0].run = cut;
  EXPECT_EQ(first_differing_pass(what, passes), "keep");
}

}  // namespace
}  // namespace fovea
