// The figures of a plan, against numbers that were computed by hand.
#include "engine/plan/plan_cost.h"

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"

namespace fovea {
namespace {

Value constant(Graph& graph, const Shape& shape, const std::string& name) {
  const std::vector<float> values(static_cast<std::size_t>(num_elements(shape)), 0.5F);
  return graph.add(make_constant(shape, values), {}, name);
}

/// x [4,4,2] -> conv 3x3 to 4 channels with bias -> relu -> flatten -> dense to 3 -> softmax.
Graph network() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 2}}}, {}, "x");
  const Value w = constant(graph, {4, 3, 3, 2}, "w");
  const Value b = constant(graph, {4}, "b");
  const Value w2 = constant(graph, {3, 64}, "w2");
  Value y = graph.add(Conv2d{.pads = {1, 1, 1, 1}, .bias = true}, {x, w, b}, "conv");
  y = graph.add(Relu{}, {y}, "relu");
  y = graph.add(Reshape{{kBatch, 64}}, {y}, "flat");
  y = graph.add(Dense{}, {y, w2}, "dense");
  graph.mark_output(graph.add(Softmax{}, {y}, "softmax"));
  return graph;
}

// Of one picture: 32 values in, 64 behind the convolution, 3 classes.
constexpr std::int64_t kConvFlops = 64 * (2 * 18 + 1);
constexpr std::int64_t kDenseFlops = std::int64_t{3} * 2 * 64;
constexpr std::size_t kConvWeights = (72 + 4) * 4;
constexpr std::size_t kDenseWeights = std::size_t{192} * 4;

TEST(PlanCost, OfNodesIsOneKernelEach) {
  const Graph graph = with_batch(network(), 2);

  const std::vector<Cost> costs = node_costs(graph);

  const auto of = [&](std::string_view name) {
    return costs[static_cast<std::size_t>(graph.find(name))];
  };
  EXPECT_EQ(of("x"), Cost{});
  EXPECT_EQ(of("w"), Cost{});
  EXPECT_EQ(of("conv"), (Cost{1, 2 * kConvFlops, 256, 512, kConvWeights}));
  EXPECT_EQ(of("relu"), (Cost{1, 128, 512, 512, 0}));
  EXPECT_EQ(of("flat"), (Cost{1, 0, 512, 512, 0}));
  EXPECT_EQ(of("dense"), (Cost{1, 2 * kDenseFlops, 512, 24, kDenseWeights}));
  EXPECT_EQ(of("softmax"), (Cost{1, 18, 24, 24, 0}));
  EXPECT_EQ(total(costs),
            (Cost{5,
                  2 * kConvFlops + 128 + 2 * kDenseFlops + 18,
                  256 + 512 + 512 + 512 + 24,
                  512 + 512 + 512 + 24 + 24,
                  kConvWeights + kDenseWeights}));
}

TEST(PlanCost, OfAPlanHasNoViewsAndFusedActivations) {
  const auto plan =
      compile_plan(network(), make_cpu_backend(), {.buckets = {2}, .exact_convolutions = true});

  const std::vector<Cost> costs = step_costs(*plan, plan->buckets[0]);

  Cost sum = total(costs);
  // oneDNN may pad channels and convert layouts; what is computed and read of weights is fixed.
  EXPECT_EQ(sum.flops, 2 * kConvFlops + 128 + 2 * kDenseFlops + 18);
  EXPECT_EQ(sum.weight_bytes, kConvWeights + kDenseWeights);
  EXPECT_EQ(sum.launches, plan->buckets[0].steps.size());
  EXPECT_LE(sum.launches, 5U) << to_string(*plan);  // conv, dense, softmax, at most two conversions
}

TEST(PlanCost, OfTheReferenceIsTheNodesWithoutTheView) {
  const auto plan = compile_plan(network(), make_reference_backend(), {.buckets = {1, 2}});

  const std::vector<Cost> costs = step_costs(*plan, plan->buckets[1]);

  EXPECT_EQ(total(costs),
            (Cost{4,
                  2 * kConvFlops + 128 + 2 * kDenseFlops + 18,
                  256 + 512 + 512 + 24,
                  512 + 512 + 24 + 24,
                  kConvWeights + kDenseWeights}));
  EXPECT_EQ(total(costs).weight_bytes, total(step_costs(*plan, plan->buckets[0])).weight_bytes);
}

TEST(PlanCost, AValueThatIsReadTwiceCountsOnce) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {1, 10}}}, {}, "x");
  graph.mark_output(graph.add(Add{}, {x, x}, "y"));

  EXPECT_EQ(total(node_costs(graph)), (Cost{1, 10, 40, 40, 0}));
  const auto plan = compile_plan(graph, make_reference_backend(), {});
  EXPECT_EQ(total(step_costs(*plan, plan->buckets[0])), (Cost{1, 10, 40, 40, 0}));
}

TEST(PlanCost, IsWrittenInReadableUnits) {
  EXPECT_EQ(to_string(Cost{58, 7'749'000'000, 60'000'000, 30'000'000, 2'140'000}),
            "58 launches, 7.7 GFLOP, 92.1 MB moved");
  EXPECT_EQ(to_string(Cost{1, 10, 40, 40, 0}), "1 launches, 10 FLOP, 80 B moved");
}

}  // namespace
}  // namespace fovea
