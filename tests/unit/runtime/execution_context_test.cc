#include "engine/runtime/execution_context.h"

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

Graph small_network() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 6, 3}}}, {}, "x");
  const Value w = graph.add(make_constant({4, 3, 3, 3}, test::random_floats(108, 1)), {}, "w");
  Value y = graph.add(Conv2d{}, {x, w}, "conv");
  y = graph.add(Relu{}, {y}, "relu");
  y = graph.add(GlobalPool{}, {y}, "pool");
  graph.mark_output(graph.add(Softmax{}, {y}, "y"));
  return graph;
}

TEST(ExecutionContext, ManyThreadsShareOnePlan) {
  const Graph graph = small_network();
  const auto plan =
      compile_plan(graph, make_reference_backend(), {.buckets = {1, 2}, .threads = 1});
  const test::NamedFloats inputs = test::random_inputs(graph, 2, 3);
  const test::NamedFloats want = test::run_plan(plan, 2, inputs);
  std::atomic<int> wrong = 0;

  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) wrong += test::run_plan(plan, 2, inputs) == want ? 0 : 1;
    });
  }
  threads.clear();

  EXPECT_EQ(wrong, 0);
}

/// Each thread keeps its context and has inputs of its own.
TEST(ExecutionContext, ContextsOfOnePlanShareNothingThatChanges) {
  const Graph graph = small_network();
  const auto plan = compile_plan(graph, make_reference_backend(), {.buckets = {1}, .threads = 1});
  std::atomic<int> wrong = 0;

  std::vector<std::jthread> threads;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    threads.emplace_back([&, seed] {
      const test::NamedFloats inputs = test::random_inputs(graph, 1, seed);
      const test::Floats want = test::run_plan(plan, 1, inputs).at("y");
      const auto in = std::as_bytes(std::span(inputs.at("x")));
      ExecutionContext context(plan);
      for (int i = 0; i < 100; ++i) {
        test::Floats got(want.size());
        const auto out = std::as_writable_bytes(std::span(got));
        context.run(1, {&in, 1}, {&out, 1});
        wrong += got == want ? 0 : 1;
      }
    });
  }
  threads.clear();

  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace fovea
