#include "engine/runtime/execution_context.h"

#include <algorithm>
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

/// What memory holds at first, and no output ever.
constexpr float kUntouched = 7.0F;

/// The reference backend, with a view of the memory that was asked for last.
class WatchedBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return reference_->name(); }

  [[nodiscard]] TargetTraits traits() const override { return reference_->traits(); }

  [[nodiscard]] std::string fingerprint() const override { return reference_->fingerprint(); }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    return reference_->tactics(site);
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    return reference_->conversion(desc, from, to);
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int threads) const override {
    return reference_->make_stream(threads);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    last_ = reference_->allocate(bytes);
    std::fill_n(reinterpret_cast<float*>(last_.get()), bytes / sizeof(float), kUntouched);
    return last_;
  }

  [[nodiscard]] MemoryInfo memory_info() const override { return reference_->memory_info(); }

  [[nodiscard]] const std::byte* last() const { return last_.get(); }

 private:
  std::unique_ptr<Backend> reference_ = make_reference_backend();
  mutable std::shared_ptr<std::byte> last_;
};

/// One Clip in a context whose arena can be seen.
class ExecutionContextMemory : public testing::Test {
 protected:
  static Graph clip_graph() {
    Graph graph;
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
    graph.mark_output(graph.add(Clip{0.0F, 6.0F}, {x}, "clip"), "y");
    return graph;
  }

  /// Runs as many pictures as there are rows of two.
  void run(const test::Floats& input) {
    test::Floats output(input.size());
    const std::vector<std::span<const std::byte>> in{std::as_bytes(std::span(input))};
    const std::vector<std::span<std::byte>> out{std::as_writable_bytes(std::span(output))};
    context_.run(static_cast<std::int64_t>(input.size() / 2), in, out);
    EXPECT_EQ(output, input);
  }

  /// All rows of the output in a bucket's memory, those that run() drops among them.
  [[nodiscard]] test::Floats output_rows(std::size_t bucket_index) const {
    const BucketPlan& bucket = plan_->buckets[bucket_index];
    const Slot& slot = bucket.slots[bucket.outputs[0]];
    return test::to_floats({&slot.desc, backend_->last() + slot.offset});
  }

  const std::shared_ptr<WatchedBackend> backend_ = std::make_shared<WatchedBackend>();
  const std::shared_ptr<const ExecutionPlan> plan_ =
      compile_plan(clip_graph(), backend_, {.buckets = {1, 4}, .threads = 1});
  ExecutionContext context_{plan_};
};

TEST_F(ExecutionContextMemory, MissingPicturesRepeatTheLastOne) {
  run({1, 2, 3, 4});

  EXPECT_EQ(output_rows(1), (test::Floats{1, 2, 3, 4, 3, 4, 3, 4}));
}

TEST_F(ExecutionContextMemory, TheSmallestBucketThatHoldsThemRuns) {
  run({1, 2});

  EXPECT_EQ(output_rows(0), (test::Floats{1, 2}));
  const test::Floats larger = output_rows(1);
  EXPECT_EQ(test::Floats(larger.begin() + 2, larger.end()), test::Floats(6, kUntouched));
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
