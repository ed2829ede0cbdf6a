// Batches in flight on streams that are threads: what the thread sanitizer says of their order.
#include "engine/runtime/pipelined_context.h"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/passes/constants.h"
#include "tests/support/known_batches.h"
#include "tests/support/run_plan.h"
#include "tests/support/threaded_backend.h"

namespace fovea {
namespace {

/// Two inputs; of the outputs one goes on inside, and one is what an input was.
Graph network() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3, 4}}}, {}, "x");
  const Value y = graph.add(Input{{DType::kFloat32, {kBatch, 12}}}, {}, "y");
  const Value w = graph.add(make_constant({8, 12}, test::random_floats(96, 1)), {}, "w");
  const Value flat = graph.add(Reshape{{kBatch, 12}}, {x}, "flat");
  const Value sum = graph.add(Add{}, {flat, y}, "sum");
  const Value scores = graph.add(Dense{}, {sum, w}, "scores");
  graph.mark_output(scores, "scores");
  graph.mark_output(graph.add(Softmax{}, {scores}, "softmax"), "p");
  graph.mark_output(flat, "flat");
  return graph;
}

class PipelinedContextThreads : public testing::Test {
 protected:
  /// Batches after `first` of all known ones, one after the other.
  std::size_t wrong_answers_of_one(PipelinedContext& context, std::size_t first) const {
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      const test::KnownBatch& known = known_[(first + i) % known_.size()];
      auto batch = context.submit([&](auto to) { return known.fill(to); });
      if (i % 7 == 3) continue;  // nobody wants it any more
      StageTimes times;
      wrong += known.equals(batch.collect(&times)) ? 0 : 1;
    }
    return wrong;
  }

  const std::shared_ptr<const ExecutionPlan> plan_ =
      compile_plan(network(), test::make_threaded_backend(), {.buckets = {1, 2, 4}, .threads = 1});
  const std::vector<test::KnownBatch> known_ =
      test::known_batches(plan_, std::array<std::int64_t, 8>{1, 4, 2, 3, 1, 3, 4, 2});
};

TEST_F(PipelinedContextThreads, OneSubmitsAndCollectsInOrder) {
  for (const std::size_t slots : {1U, 2U, 3U, 4U}) {
    PipelinedContext context(plan_, slots);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(test::wrong_answers(context, known_), 0U);
  }
}

TEST_F(PipelinedContextThreads, SeveralShareOneContext) {
  PipelinedContext context(plan_, 4);
  std::atomic<std::size_t> wrong = 0;

  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { wrong += wrong_answers_of_one(context, t); });
  }
  threads.clear();

  EXPECT_EQ(wrong, 0U);
}

TEST_F(PipelinedContextThreads, SeveralContextsShareOneDevice) {
  std::atomic<std::size_t> wrong = 0;

  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      PipelinedContext context(plan_, 2);
      wrong += wrong_answers_of_one(context, t);
      for (int i = 0; i < 5; ++i) wrong += test::wrong_answers(context, known_);
    });
  }
  threads.clear();

  EXPECT_EQ(wrong, 0U);
}

/// The context goes while batches that nobody waited for are at work.
TEST_F(PipelinedContextThreads, EndsWithBatchesAtWork) {
  for (int i = 0; i < 20; ++i) {
    PipelinedContext context(plan_, 3);
    for (const test::KnownBatch& known : known_) {
      (void)context.submit([&](auto to) { return known.fill(to); });
    }
  }
}

}  // namespace
}  // namespace fovea
