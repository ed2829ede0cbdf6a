// Plans of random graphs: whatever layouts tactics read and write and whatever shares memory, every
// result is bit for bit what the operators' definitions give.
//
// FOVEA_RANDOM_GRAPHS=COUNT[@FIRST] runs COUNT graphs from seed FIRST on.
#include <algorithm>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "engine/graph/graph_io.h"
#include "engine/plan/lowering.h"
#include "engine/runtime/execution_context.h"
#include "tests/support/random_graph.h"
#include "tests/support/scattering_backend.h"

namespace fovea {
namespace {

using test::Bytes;

struct Range {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

Range range(std::uint64_t count) {
  const char* set = std::getenv("FOVEA_RANDOM_GRAPHS");
  if (set == nullptr) return {0, count};
  char* end = nullptr;
  Range range{0, std::strtoull(set, &end, 10)};
  if (*end == '@') range.first = std::strtoull(end + 1, &end, 10);
  if (range.count == 0 || *end != '\0') throw InvalidArgument("FOVEA_RANDOM_GRAPHS=COUNT[@FIRST]");
  return range;
}

/// A plan of the graph as it is: no pass changes its arithmetic.
std::shared_ptr<ExecutionPlan> lowered(const Graph& graph,
                                       std::int64_t batch,
                                       std::shared_ptr<const Backend> backend) {
  auto plan = std::make_shared<ExecutionPlan>();
  WeightStore weights(*backend);
  plan->graph = graph;
  for (const NodeId id : graph.inputs()) {
    plan->inputs.push_back({graph.node(id).name, graph.node(id).outputs[0]});
  }
  for (const GraphOutput& output : graph.outputs()) {
    plan->outputs.push_back({output.name, graph.desc(output.value)});
  }
  TacticSelector tactics(*backend, graph, {});
  tactics.start_batch(batch);
  plan->buckets.push_back(
      lower(with_batch(graph, batch), *backend, tactics, weights, batch, {}, plan->report));
  plan->backend = std::move(backend);
  return plan;
}

std::vector<Bytes> run(const std::shared_ptr<const ExecutionPlan>& plan,
                       std::int64_t batch,
                       const std::map<std::string, Bytes>& inputs) {
  std::vector<std::span<const std::byte>> in;
  for (const TensorInfo& input : plan->inputs) in.emplace_back(inputs.at(input.name));
  std::vector<Bytes> results;
  for (const TensorInfo& output : plan->outputs) {
    results.emplace_back(byte_size(with_batch(output.desc, batch)));
  }
  std::vector<std::span<std::byte>> out(results.begin(), results.end());
  ExecutionContext context(plan);
  // The second run finds what the first has left.
  context.run(batch, in, out);
  for (Bytes& result : results) std::ranges::fill(result, std::byte{0});
  context.run(batch, in, out);
  return results;
}

/// No plan has an output that is a Constant.
bool has_constant_output(const Graph& graph) {
  return std::ranges::any_of(graph.outputs(), [&](const GraphOutput& output) {
    return graph.node(output.value).as<Constant>() != nullptr;
  });
}

TEST(RandomPlans, GiveWhatTheDefinitionsGive) {
  const auto [first, count] = range(500);
  std::size_t slices = 0;
  std::size_t shared = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Graph graph = test::random_graph(seed);
    if (has_constant_output(graph)) continue;
    const auto batch = static_cast<std::int64_t>(1 + seed % 2);
    const Graph concrete = with_batch(graph, batch);
    const auto inputs = test::random_graph_inputs(concrete, seed);
    const test::NodeValues values = test::evaluate_nodes(concrete, inputs);

    const auto plan = lowered(graph, batch, test::make_scattering_backend(seed));
    const std::vector<Bytes> results = run(plan, batch, inputs);

    for (std::size_t i = 0; i < results.size(); ++i) {
      const Value value = concrete.outputs()[i].value;
      const auto& want =
          values[static_cast<std::size_t>(value.node)][static_cast<std::size_t>(value.output)];
      ASSERT_TRUE(results[i] == want)
          << "output '" << concrete.outputs()[i].name << "' differs; FOVEA_RANDOM_GRAPHS=1@" << seed
          << " repeats it\n"
          << to_string(*plan) << graph_json(graph);
    }
    for (const Slot& slot : plan->buckets[0].slots) {
      slices += slot.layout.kind == Layout::Kind::kSliced ? 1 : 0;
    }
    for (const PlannedStep& step : plan->buckets[0].steps) {
      for (const SlotId input : step.inputs) {
        shared += input != kNoSlot && plan->buckets[0].slots[input].offset ==
                                          plan->buckets[0].slots[step.outputs[0]].offset
                      ? 1
                      : 0;
      }
    }
  }
  // What it is about does happen.
  if (count >= 100) {
    EXPECT_GT(slices, count / 2);
    EXPECT_GT(shared, count / 2);
  }
}

}  // namespace
}  // namespace fovea
