// What the plans of the zoo's networks look like: memory, copies, steps. Nothing is run.
#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/require.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/plan_cost.h"
#include "models/builders/zoo.h"
#include "tests/support/unbuilt_backend.h"

namespace fovea {
namespace {

struct Target {
  std::string_view name;
  std::unique_ptr<Backend> (*make)();
};

constexpr Target kTargets[]{{"cpu", make_cpu_backend},
                            {"reference", make_reference_backend},
                            {"cuda-emu", make_cuda_emu_backend}};

std::int64_t side_of(std::string_view network) {
  if (network == "lenet5") return 28;
  return network == "inception_v3" || network == "xception" ? 299 : 224;
}

/// The network with a tail that ranks the classes; weights are zeros that nobody reads.
Graph network(std::string_view name) {
  const std::int64_t side = side_of(name);
  const ModelGraph built = zoo::find(name).build({side, side});
  const Graph& source = ModelGraphAccess::graph(built);
  Graph graph;
  for (const Node& node : source.nodes()) {
    Op op = node.op;
    if (auto* constant = std::get_if<Constant>(&op); constant != nullptr && !constant->data) {
      const std::size_t bytes = byte_size(constant->desc);
      constant->data = Buffer::computed(
          bytes, node.name, [](std::span<std::byte> out) { std::ranges::fill(out, std::byte{0}); });
    }
    graph.add_as(node, std::move(op), node.inputs);
  }
  const Value best = graph.add(TopK{5}, {source.outputs()[0].value}, "best");
  graph.mark_output(best, "values");
  graph.mark_output({best.node, 1}, "indices");
  return graph;
}

class ZooPlan : public testing::TestWithParam<zoo::Model> {};

TEST_P(ZooPlan, TheArenaIsCloseToTheLargestLiveSet) {
  const Graph graph = network(GetParam().name);
  for (const Target& target : kTargets) {
    const auto plan =
        compile_plan(graph, test::make_unbuilt_backend(target.make()), {.buckets = {1, 8, 32}});
    for (const BucketPlan& bucket : plan->buckets) {
      EXPECT_LE(static_cast<double>(bucket.arena_bytes),
                1.05 * static_cast<double>(bucket.lower_bound))
          << target.name << " batch " << bucket.batch;
    }
  }
}

TEST_P(ZooPlan, NothingIsCopiedIntoAConcat) {
  const auto plan = compile_plan(network(GetParam().name),
                                 test::make_unbuilt_backend(make_cuda_emu_backend()),
                                 {.buckets = {1}});

  for (const PlannedStep& step : plan->buckets[0].steps) {
    EXPECT_NE(step.node, kNoNode) << step.name << " is a copy";
    if (step.node == kNoNode) continue;
    EXPECT_EQ(plan->graph.node(step.node).as<Concat>(), nullptr) << step.name;
  }
}

TEST_P(ZooPlan, ComputesAndMovesLessThanItsNodes) {
  const Graph graph = network(GetParam().name);
  // A pad of channels is work that the device asks for, and no merit or fault of the others.
  const auto plan = compile_plan(graph,
                                 test::make_unbuilt_backend(make_cuda_emu_backend()),
                                 {.buckets = {8}, .disabled_passes = {"pad-channels"}});

  const Cost before = total(node_costs(with_batch(graph, 8)));
  const Cost after = total(step_costs(*plan, plan->buckets[0]));

  EXPECT_LT(after.launches, before.launches);
  EXPECT_LE(after.flops, before.flops);
  EXPECT_LT(after.read_bytes, before.read_bytes);
  EXPECT_LT(after.written_bytes, before.written_bytes);
  EXPECT_LE(after.weight_bytes, before.weight_bytes);
}

INSTANTIATE_TEST_SUITE_P(Networks,
                         ZooPlan,
                         testing::ValuesIn(zoo::models().begin(), zoo::models().end()),
                         [](const auto& model) { return std::string(model.param.name); });

}  // namespace
}  // namespace fovea
