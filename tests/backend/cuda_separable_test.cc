// Separable convolutions as tactics: one kernel, and the two steps that it stands for.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/weight_store.h"
#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/plan_cost.h"
#include "tests/backend/tactic_slices.h"
#include "tests/support/strided.h"

namespace fovea {
namespace {

constexpr int kHopper = 90;
constexpr std::int64_t kChannels = 24;
constexpr std::int64_t kFilters = 72;

/// The emulated device with convolutions of our own alone.
std::unique_ptr<Backend> without_library(int capability = kHopper) {
  return cuda::make_backend("cuda-emu", {}, capability);
}

Value constant(Graph& graph, const Shape& shape, std::uint64_t seed) {
  return graph.add(make_constant(shape, test::random_floats(num_elements(shape), seed)),
                   {},
                   cat("constant", seed));
}

/// x and the residual to y, both of that type.
Graph separable(std::int64_t batch,
                DType type,
                std::int64_t kernel = 3,
                std::int64_t channels = kChannels,
                std::int64_t filters = kFilters) {
  const std::int64_t pad = kernel / 2;
  const Activation relu{.kind = ActivationKind::kRelu};
  const SeparableConv2d op{
      .depthwise = {.strides = {2, 1},
                    .pads = {pad, pad, pad, pad},
                    .groups = channels,
                    .bias = true,
                    .activation = relu,
                    .input_activation = ActivationKind::kRelu},
      .pointwise = {
          .bias = true, .residual = true, .activation = relu, .activation_channels = filters / 2}};
  Graph graph;
  const Value x = graph.add(Input{{type, {batch, 9, 8, channels}}}, {}, "x");
  const Value residual = graph.add(Input{{type, {batch, 5, 8, filters}}}, {}, "residual");
  graph.mark_output(graph.add(op,
                              {x,
                               constant(graph, {channels, kernel, kernel, 1}, 1),
                               constant(graph, {channels}, 2),
                               constant(graph, {filters, 1, 1, channels}, 3),
                               constant(graph, {filters}, 4),
                               residual},
                              "y"));
  return graph;
}

/// The site with its inputs as they lie in buffers of their own.
OpSite dense_site(const Graph& graph) {
  OpSite site = test::sites_of(graph, 1).at(0);
  std::ranges::fill(site.inputs, Layout{});
  return site;
}

std::vector<std::string> names_of(const std::vector<Tactic>& tactics) {
  std::vector<std::string> names;
  names.reserve(tactics.size());
  for (const Tactic& tactic : tactics) names.push_back(tactic.name);
  return names;
}

bool is_fused(const std::string& name) {
  return name.starts_with("separable:");
}

std::size_t count_fused(const std::vector<Tactic>& tactics) {
  return static_cast<std::size_t>(
      std::ranges::count_if(tactics, is_fused, [](const Tactic& tactic) { return tactic.name; }));
}

TEST(CudaSeparable, TheTwoStepsComeFirst) {
  const Graph graph = separable(2, DType::kFloat32);

  EXPECT_EQ(names_of(make_cuda_emu_backend()->tactics(dense_site(graph))),
            (std::vector<std::string>{"depthwise:runs+evaluate",
                                      "depthwise:runs+conv:simt-64x64",
                                      "depthwise:runs+conv:simt-128x128",
                                      "separable:simt-64x64",
                                      "separable:simt-128x128"}));
}

TEST(CudaSeparable, TensorCoresAreForWhatMayBeRounded) {
  const Graph floats = separable(2, DType::kFloat32);
  const Graph halves = separable(2, DType::kFloat16);
  OpSite tf32 = dense_site(floats);
  tf32.tf32 = true;

  EXPECT_EQ(count_fused(without_library()->tactics(dense_site(floats))), 2U);
  EXPECT_EQ(count_fused(without_library()->tactics(tf32)), 4U);
  EXPECT_EQ(count_fused(without_library()->tactics(dense_site(halves))), 4U);
  EXPECT_EQ(count_fused(without_library(75)->tactics(dense_site(halves))), 2U);
}

/// Sums of at most 24 products of values up to 2 and of sums of 9 such products. What lies between
/// is rounded to the type on both sides, from sums that differ in float32: now and then to the
/// neighbour. That, and the rounding of the weights, is what `relative` of a term of 72 allows.
void expect_all_tactics_equal(const OpSite& site, float relative) {
  const std::unique_ptr<Backend> backend = without_library();
  ASSERT_GT(count_fused(backend->tactics(site)), 0U);
  test::expect_equal_to_definition(*backend, site, 24 * 72 * relative);
}

TEST(CudaSeparable, EveryTacticEqualsTheDefinition) {
  const Graph floats = separable(2, DType::kFloat32);
  expect_all_tactics_equal(dense_site(floats), 0x1p-22F);
  OpSite tf32 = dense_site(floats);
  tf32.tf32 = true;
  expect_all_tactics_equal(tf32, 0x1p-11F);
  const Graph half = separable(2, DType::kFloat16);
  expect_all_tactics_equal(dense_site(half), 0x1p-11F);
  const Graph bfloat = separable(2, DType::kBFloat16);
  expect_all_tactics_equal(dense_site(bfloat), 0x1p-8F);
}

TEST(CudaSeparable, TheKernelReadsSlicesOfWholeVectors) {
  const Graph graph = separable(2, DType::kFloat32);
  OpSite site = dense_site(graph);
  site.inputs[0] = Layout::sliced(kChannels + 8, 4);
  site.inputs[5] = test::slice_of(site.input(5));
  const std::vector<Tactic> tactics = without_library()->tactics(site);
  ASSERT_GT(count_fused(tactics), 0U);
  for (const Tactic& tactic : tactics) {
    EXPECT_EQ(tactic.inputs[0], site.inputs[0]) << tactic.name;
    EXPECT_EQ(tactic.inputs[5], site.inputs[5]) << tactic.name;
    EXPECT_TRUE(tactic.writes_slices) << tactic.name;
    ASSERT_EQ(tactic.aliases.size(), 1U);
    EXPECT_EQ(tactic.aliases[0].input, 5U);
  }

  for (const Layout& odd : {Layout::sliced(kChannels + 8, 3), Layout::sliced(kChannels + 2, 0)}) {
    site.inputs[0] = odd;
    EXPECT_EQ(count_fused(without_library()->tactics(site)), 0U);
    EXPECT_FALSE(without_library()->tactics(site).empty());
  }
}

TEST(CudaSeparable, OnlyTheTwoStepsComputeOtherWindowsAndChannels) {
  for (const Graph& graph : {separable(2, DType::kFloat32, 5),
                             separable(2, DType::kFloat32, 3, 23),
                             separable(2, DType::kFloat32, 3, 1),
                             separable(2, DType::kFloat32, 3, 24, 257)}) {
    const OpSite site = dense_site(graph);
    const std::vector<Tactic> tactics = without_library()->tactics(site);
    EXPECT_EQ(count_fused(tactics), 0U);
    EXPECT_FALSE(tactics.empty());
    test::expect_equal_to_definition(*without_library(), site, 24 * 200 * 0x1p-22F);
  }
}

/// From the pass to the answer, by every tactic that is offered, for both batch sizes of one plan.
TEST(CudaSeparable, PlansComputeTheSameByEveryTactic) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 7, 6, 16}}}, {}, "x");
  const Value between = graph.add(Conv2d{.pads = {1, 1, 1, 1}, .groups = 16},
                                  {x, constant(graph, {16, 3, 3, 1}, 1)},
                                  "depthwise");
  const Value y = graph.add(Conv2d{}, {between, constant(graph, {16, 1, 1, 16}, 2)}, "pointwise");
  // In place of the residual, and a step before and behind it.
  const Value sum = graph.add(Add{}, {y, graph.add(Tanh{}, {x}, "tanh")}, "sum");
  graph.mark_output(graph.add(MaxPool{.kernel = {2, 2}}, {sum}, "pool"), "y");
  const test::NamedFloats inputs = test::random_inputs(graph, 3, 5);
  const test::NamedFloats want = test::run_graph(graph, make_reference_backend(), 3, inputs);

  std::set<std::string> seen;
  std::map<bool, Cost> costs;  // by whether one kernel computes both parts
  for (const std::string name :
       {"depthwise:runs+evaluate", "depthwise:runs+conv:simt-64x64", "separable:simt-64x64"}) {
    TacticOptions tactics;
    tactics.forced = {{"sum", name}};
    const auto plan =
        compile_plan(graph, make_cuda_emu_backend(), {.buckets = {1, 3}, .tactics = tactics});
    const BucketPlan& bucket = plan->buckets.at(0);
    for (const PlannedStep& step : bucket.steps) seen.insert(step.tactic);
    EXPECT_EQ(bucket.steps.size(), 3U) << to_string(*plan);
    costs[is_fused(name)] = total(step_costs(*plan, bucket));

    const test::NamedFloats got = test::run_plan(plan, 3, inputs);

    // 16 products of values up to 2 and 36.
    test::expect_near(got.at("y"), want.at("y"), 16 * 72 * 0x1p-22F, 0.0);
  }
  EXPECT_TRUE(seen.contains("separable:simt-64x64"));
  // One launch, a write and a read of what lies between the parts.
  constexpr std::size_t kBetween = std::size_t{7} * 6 * 16 * sizeof(float);
  EXPECT_EQ(costs[true].launches, 3U);
  EXPECT_EQ(costs[false].launches, 4U);
  EXPECT_EQ(costs[false].read_bytes, costs[true].read_bytes + kBetween);
  EXPECT_EQ(costs[false].written_bytes, costs[true].written_bytes + kBetween);
  EXPECT_EQ(costs[false].flops, costs[true].flops);
}

TEST(CudaSeparable, TacticsShareTheirPackedWeights) {
  const Graph graph = separable(2, DType::kFloat32);
  const OpSite site = dense_site(graph);
  const std::unique_ptr<Backend> backend = without_library();
  WeightStore store(*backend);
  for (const Tactic& tactic : backend->tactics(site)) {
    (void)tactic.build({tactic.inputs, tactic.outputs, store});
  }

  EXPECT_EQ(store.bytes(),
            static_cast<std::size_t>(kChannels * 9 + kChannels + kFilters * kChannels + kFilters) *
                sizeof(float));
}

}  // namespace
}  // namespace fovea
