// Weights that are stored in another order than they are used in, or are too large to be packed at
// once, give what the reference gives.
#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

Value constant(Graph& graph, const Shape& shape, const std::string& name) {
  return graph.add(make_constant(shape, test::random_floats(num_elements(shape), 3)), {}, name);
}

void expect_same_as_reference(const Graph& graph, float tolerance) {
  const test::NamedFloats inputs = test::random_inputs(graph, 2, 5);

  const auto want = test::run_graph(graph, make_reference_backend(), 2, inputs).at("y");
  const auto got = test::run_graph(graph, make_cpu_backend(), 2, inputs).at("y");

  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance) << "element " << i;
  }
}

// Sums of up to 4,400 products: each addition rounds a partial sum of up to 400 by at most 1.5e-5,
// and errors of either sign add up as the root of their number.
constexpr float kTolerance = 1e-3F;

/// x {N, in} times weights of `units` rows that are stored row-major, or column-major.
Graph dense(std::int64_t in, std::int64_t units, bool by_columns) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, in}}}, {}, "x");
  Value w;
  if (by_columns) {
    w = graph.add(Transpose{.perm = {1, 0}}, {constant(graph, {in, units}, "stored")}, "w");
  } else {
    w = constant(graph, {units, in}, "w");
  }
  graph.mark_output(graph.add(Dense{}, {x, w}, "y"));
  return graph;
}

TEST(WeightPacking, OfADenseLayerInSeveralPieces) {
  // 37 and 35 megabytes; neither side is a multiple of a block.
  expect_same_as_reference(dense(4'300, 2'150, /*by_columns=*/false), kTolerance);
  expect_same_as_reference(dense(4'400, 2'007, /*by_columns=*/true), kTolerance);
}

TEST(WeightPacking, OfConvolutionsStoredWithOutputChannelsLast) {
  for (const std::int64_t groups : {1, 2, 6}) {
    Graph graph;
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 7, 7, 6}}}, {}, "x");
    const Value stored = constant(graph, {3, 2, 6 / groups, 12}, "stored");
    const Value w = graph.add(Transpose{.perm = {3, 0, 1, 2}}, {stored}, "w");
    graph.mark_output(graph.add(Conv2d{.groups = groups}, {x, w}, "y"));

    expect_same_as_reference(graph, 2e-5F);
  }
}

TEST(WeightPacking, OfALargeConvolutionAtOnceAndInSeveralPieces) {
  for (const bool by_output : {false, true}) {  // 22 megabytes
    Graph graph;
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3, 3, 700}}}, {}, "x");
    const Value w = by_output ? constant(graph, {900, 3, 3, 700}, "w")
                              : graph.add(Transpose{.perm = {3, 0, 1, 2}},
                                          {constant(graph, {3, 3, 700, 900}, "stored")},
                                          "w");
    graph.mark_output(graph.add(Conv2d{}, {x, w}, "y"));

    expect_same_as_reference(graph, kTolerance);
  }
}

}  // namespace
}  // namespace fovea
