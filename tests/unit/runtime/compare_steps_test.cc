// Plans against definitions, with a backend that computes one node wrong.
#include "engine/runtime/compare_steps.h"

#include <map>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/graph/random_inputs.h"
#include "engine/passes/constants.h"
#include "engine/runtime/step_times.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

/// Adds 1 to the first element of what another step writes.
class WrongStep final : public Step {
 public:
  explicit WrongStep(std::unique_ptr<Step> step) : step_(std::move(step)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& stream) const override {
    return step_->bind(args, stream);
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    step_->enqueue(args, stream);
    reinterpret_cast<float*>(args.outputs[0])[0] += 1;
  }

 private:
  std::unique_ptr<Step> step_;
};

/// The reference, but the node of one name comes out wrong.
class WrongBackend final : public Backend {
 public:
  explicit WrongBackend(std::string node) : node_(std::move(node)) {}

  [[nodiscard]] std::string_view name() const override { return "wrong"; }

  [[nodiscard]] std::string fingerprint() const override { return "wrong"; }

  [[nodiscard]] TargetTraits traits() const override { return {}; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    std::vector<Tactic> tactics = right_->tactics(site);
    if (site.node.name != node_) return tactics;
    tactics[0].build = [build = tactics[0].build](const BuildArgs& args) {
      return std::make_unique<WrongStep>(build(args));
    };
    return tactics;
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    return right_->conversion(desc, from, to);
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int threads) const override {
    return right_->make_stream(threads);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return right_->allocate(bytes);
  }

  [[nodiscard]] bool on_host() const override { return true; }

  [[nodiscard]] MemoryInfo memory_info() const override { return right_->memory_info(); }

 private:
  std::string node_;
  std::unique_ptr<Backend> right_ = make_reference_backend();
};

Value constant(Graph& graph, const Shape& shape, std::uint64_t seed, const std::string& name) {
  return graph.add(make_constant(shape, test::random_floats(num_elements(shape), seed)), {}, name);
}

/// Two convolutions side by side, concatenated, then the best of 4 classes.
Graph network() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 5, 4, 3}}}, {}, "x");
  const Value w1 = constant(graph, {8, 3, 3, 3}, 1, "w1");
  const Value w2 = constant(graph, {8, 1, 1, 3}, 2, "w2");
  const Value w3 = constant(graph, {4, 16}, 3, "w3");
  const Value a = graph.add(Conv2d{.pads = {1, 1, 1, 1}}, {x, w1}, "a");
  const Value b = graph.add(Conv2d{}, {x, w2}, "b");
  Value y = graph.add(Concat{3}, {a, b}, "joined");
  y = graph.add(Relu{}, {y}, "relu");
  y = graph.add(GlobalPool{}, {y}, "mean");
  y = graph.add(Dense{}, {y, w3}, "scores");
  const Value best = graph.add(TopK{2}, {y}, "best");
  graph.mark_output(best, "values");
  graph.mark_output({best.node, 1}, "indices");
  return graph;
}

std::map<std::string, double> compared(const std::shared_ptr<const ExecutionPlan>& plan) {
  const BucketPlan& bucket = plan->buckets[0];
  std::map<std::string, double> differences;
  const auto inputs = random_inputs(with_batch(plan->graph, bucket.batch), 1);
  (void)compare_steps(
      plan, bucket, inputs, [&](const PlannedStep& step, const TensorDifference& apart) {
        differences[step.name] = apart.max_rel;
      });
  return differences;
}

TEST(CompareSteps, ARightPlanIsNearInEveryStep) {
  const auto plan = compile_plan(network(), make_cpu_backend(), {.buckets = {3}, .threads = 1});

  const auto differences = compared(plan);

  EXPECT_GE(differences.size(), 5U);
  for (const auto& [name, apart] : differences) EXPECT_LT(apart, 1e-5) << name;
}

TEST(CompareSteps, AWrongStepIsSeenWhereItIsAndNowhereElse) {
  for (const char* wrong : {"a", "b", "relu", "scores"}) {
    const auto plan =
        compile_plan(network(), std::make_shared<WrongBackend>(wrong), {.buckets = {2}});

    const auto differences = compared(plan);

    for (const auto& [name, apart] : differences) {
      if (name == wrong) {
        EXPECT_GT(apart, 1e-3) << name;
      } else {
        EXPECT_EQ(apart, 0) << name << " with a wrong " << wrong;
      }
    }
  }
}

TEST(StepTimes, AreOneForEveryStep) {
  const auto plan = compile_plan(network(), make_cpu_backend(), {.buckets = {1}});

  const auto times = step_microseconds(plan, plan->buckets[0], 0);

  ASSERT_EQ(times.size(), plan->buckets[0].steps.size());
  for (const double time : times) EXPECT_GT(time, 0);
}

}  // namespace
}  // namespace fovea
