// What the steps of a network save, and what cuDNN is asked for once that is restored.
#include <algorithm>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/saved_state.h"
#include "kernels/simt/stream.h"
#include "tests/backend/one_convolution.h"
#include "tests/support/fake_cudnn.h"
#include "tests/support/meeting.h"
#include "tests/support/run_plan.h"
#include "tests/support/strided.h"

namespace fovea {
namespace {

using Strings = std::vector<std::string>;

constexpr int kHopper = 90;
constexpr std::int64_t kChannels = 8;

test::FakeEngine engine(std::int64_t index) {
  return {.engine = {index, {{2, 7}}}, .workspace_bytes = 100};
}

Value constant(Graph& graph, const Shape& shape, const char* name, std::uint64_t seed) {
  return graph.add(make_constant(shape, test::random_floats(num_elements(shape), seed)), {}, name);
}

Value add_input(Graph& graph) {
  return graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, kChannels}}}, {}, "x");
}

Value add_depthwise(Graph& graph, const Value& x) {
  return graph.add(Conv2d{.pads = {1, 1, 1, 1}, .groups = kChannels},
                   {x, constant(graph, {kChannels, 3, 3, 1}, "taps", 1)},
                   "depthwise");
}

/// Two of them, which the passes make separable convolutions of: of `filters` filters, then of 8.
Graph two_separable(std::int64_t filters) {
  Graph graph;
  const Value x = add_input(graph);
  const Value first = graph.add(
      Conv2d{.activation = test::kRelu},
      {add_depthwise(graph, x), constant(graph, {filters, 1, 1, kChannels}, "first weights", 2)},
      "first");
  const Value between = graph.add(Conv2d{.pads = {1, 1, 1, 1}, .groups = filters},
                                  {first, constant(graph, {filters, 3, 3, 1}, "more taps", 3)},
                                  "more depthwise");
  const Value second =
      graph.add(Conv2d{},
                {between, constant(graph, {kChannels, 1, 1, filters}, "second weights", 4)},
                "second");
  graph.mark_output(second, "y");
  return graph;
}

/// A depthwise convolution that is none's part, as its result is seen; then one of 16 filters that
/// are two halves side by side; then one of 8.
Graph others() {
  Graph graph;
  const Value seen = add_depthwise(graph, add_input(graph));
  graph.mark_output(seen, "seen");
  const auto half = [&](const char* name, std::uint64_t seed) {
    return graph.add(
        Conv2d{},
        {seen, constant(graph, {kChannels, 1, 1, kChannels}, "weights of a half", seed)},
        name);
  };
  const Value both = graph.add(Concat{3}, {half("a", 2), half("b", 3)}, "both");
  const Value last = graph.add(
      Conv2d{}, {both, constant(graph, {kChannels, 1, 1, 2 * kChannels}, "weights", 4)}, "last");
  graph.mark_output(last, "y");
  return graph;
}

/// What lies in a Concat that lies in another one, behind 8 channels of that; the last of them is a
/// separable convolution's.
Graph nested() {
  Graph graph;
  const Value x = add_input(graph);
  const auto convolution = [&](const Value& input, const char* name, std::uint64_t seed) {
    const std::string weights = std::string("weights of ") + name;
    return graph.add(Conv2d{},
                     {input, constant(graph, {kChannels, 1, 1, kChannels}, weights.c_str(), seed)},
                     name);
  };
  const Value inner =
      graph.add(Concat{3},
                {convolution(x, "a", 2), convolution(add_depthwise(graph, x), "separable", 3)},
                "inner");
  const Value outer = graph.add(Concat{3}, {convolution(x, "b", 4), inner}, "outer");
  const Value last = graph.add(
      Conv2d{}, {outer, constant(graph, {kChannels, 1, 1, 3 * kChannels}, "weights", 5)}, "last");
  graph.mark_output(last, "y");
  return graph;
}

class CudnnRestore : public testing::Test {
 protected:
  CudnnRestore() {
    fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2)};
    fake_.run = [](const test::FakeRun& run) {
      simt::enqueue(run.stream, [run] { test::evaluate(run); });
      return CUDNN_STATUS_SUCCESS;
    };
  }

  void TearDown() override {
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  using Forced = ForcedTactics;

  struct Compiled {
    std::shared_ptr<const ExecutionPlan> plan;
    SavedState state;             ///< that its steps save
    test::FakeRecord happened{};  ///< since it was begun
    Strings notices{};

    [[nodiscard]] std::size_t from_json() const {
      return static_cast<std::size_t>(
          std::ranges::count(happened.built, true, &test::FakePlan::from_json));
    }
  };

  /// By a fresh backend, for two pictures.
  ///
  /// state    what is restored before
  /// forced   tactics by nodes
  [[nodiscard]] Compiled compile(const Graph& graph,
                                 const SavedState& state = {},
                                 const Forced& forced = {}) const {
    const test::FakeRecord before = fake_.record();
    const std::shared_ptr<const Backend> backend = cuda::make_backend(
        "cuda", {.convolutions = cuda::make_cudnn_convolutions(fake_.library(), {})}, kHopper);
    backend->restore(state);
    TacticOptions tactics;
    tactics.forced = forced;
    Compiled compiled{.plan = compile_plan(graph, backend, {.buckets = {2}, .tactics = tactics}),
                      .state = {}};
    save_steps(*compiled.plan, compiled.state);
    compiled.notices = backend->notices();
    compiled.happened = fake_.record();
    compiled.happened.asked -= before.asked;
    const auto drop = [](auto& list, std::size_t count) {
      list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count));
    };
    drop(compiled.happened.built, before.built.size());
    drop(compiled.happened.runs, before.runs.size());
    return compiled;
  }

  static Strings tactics(const Compiled& compiled) {
    Strings names;
    for (const PlannedStep& step : compiled.plan->buckets.at(0).steps) {
      names.push_back(step.tactic);
    }
    return names;
  }

  /// That the plan computes what the reference does.
  static void expect_right(const Graph& graph, const Compiled& compiled) {
    const test::NamedFloats inputs = test::random_inputs(graph, 2, 5);
    const test::NamedFloats want = test::run_graph(graph, make_reference_backend(), 2, inputs);
    const test::NamedFloats got = test::run_plan(compiled.plan, 2, inputs);
    for (const auto& [name, values] : want) {
      // 9 products of values up to 4, in sums of 8 by 2, twice.
      test::expect_near(got.at(name), values, 1.0e5F * 0x1p-22F, 0.0);
    }
  }

  /// What evaluate() does, and one element more behind a pixel of a slice.
  static cudnnStatus_t spill(const test::FakeRun& run) {
    simt::enqueue(run.stream, [run] {
      test::evaluate(run);
      const auto place = static_cast<std::int64_t>(cuda::CudnnTensor::kY);
      const test::FakeTensor& y = run.plan.tensors.at(place);
      auto* const pixels = static_cast<float*>(run.addresses.at(place));
      if (y.strides[3] != y.dims[1]) pixels[y.dims[1]] = 0;
    });
    return CUDNN_STATUS_SUCCESS;
  }

  /// Elements from pixel to pixel where the halves of others() were written last.
  [[nodiscard]] std::int64_t stride_of_last_slice() const {
    const auto runs = fake_.record().runs;  // the last of them is of what reads both
    return runs.at(runs.size() - 2)
        .plan.tensors.at(static_cast<std::int64_t>(cuda::CudnnTensor::kY))
        .strides[3];
  }

  test::FakeCudnn fake_;
};

TEST_F(CudnnRestore, BothStepsOfASeparableConvolutionAreSaved) {
  const Graph graph = two_separable(16);
  const Compiled first = compile(graph);
  ASSERT_EQ(tactics(first),
            (Strings{"depthwise:runs+cudnn:eng1:k2.7", "depthwise:runs+cudnn:eng1:k2.7"}));
  EXPECT_EQ(first.happened.built.size(), 2U) << "none for the depthwise parts";

  const Compiled again = compile(graph, first.state);

  EXPECT_EQ(tactics(again), tactics(first));
  EXPECT_EQ(again.happened.asked, 0);
  EXPECT_EQ(again.happened.built.size(), 2U);
  EXPECT_EQ(again.from_json(), 2U);
  EXPECT_EQ(again.state, first.state);
  EXPECT_EQ(again.notices, Strings{});
  expect_right(graph, again);
}

TEST_F(CudnnRestore, PartsOfSeparableConvolutionsAreMadeAtOnce) {
  const bool several = std::thread::hardware_concurrency() > 1;
  test::Meeting meeting;
  fake_.build = [&](const test::FakePlan&) {
    if (several) meeting.come();
    return CUDNN_STATUS_SUCCESS;
  };

  EXPECT_EQ(compile(two_separable(16)).happened.built.size(), 2U);
  EXPECT_EQ(meeting.size() > 1, several);
}

TEST_F(CudnnRestore, NothingIsAskedWhereOtherKernelsCompute) {
  const Graph graph = others();
  const Compiled first = compile(graph, {}, {{"last", "conv:simt-64x64"}});
  ASSERT_EQ(tactics(first),
            (Strings{"depthwise:runs", "cudnn:eng1:k2.7", "cudnn:eng1:k2.7", "conv:simt-64x64"}));
  ASSERT_EQ(first.happened.built.size(), 3U) << "of each distinct convolution";

  const Compiled again = compile(graph, first.state, {{"last", "conv:simt-64x64"}});

  EXPECT_EQ(tactics(again), tactics(first));
  EXPECT_EQ(again.happened.asked, 0);
  EXPECT_EQ(again.happened.built.size(), 1U) << "that the halves run";
  EXPECT_EQ(again.from_json(), 1U);
  EXPECT_EQ(again.state, first.state);
  EXPECT_EQ(again.notices, Strings{});
  expect_right(graph, again);
}

TEST_F(CudnnRestore, NothingIsAskedWhereOneKernelComputesBothSteps) {
  const Graph graph = two_separable(16);
  const Forced fused{{"first", "separable:simt-64x64"},
                     {"second", "depthwise:runs+conv:simt-64x64"}};
  const Compiled first = compile(graph, {}, fused);
  EXPECT_GT(first.happened.asked, 0);

  const Compiled again = compile(graph, first.state, fused);

  EXPECT_EQ(tactics(again), tactics(first));
  EXPECT_EQ(again.happened.asked, 0);
  EXPECT_TRUE(again.happened.built.empty());
  EXPECT_EQ(again.state, first.state);
}

TEST_F(CudnnRestore, EqualConvolutionsMayBeComputedByBoth) {
  const Graph graph = others();
  const Forced forced{{"b", "conv:simt-64x64"}, {"last", "conv:simt-64x64"}};
  const Compiled first = compile(graph, {}, forced);

  const Compiled again = compile(graph, first.state, forced);

  EXPECT_EQ(tactics(again), tactics(first));
  EXPECT_EQ(again.happened.asked, 0);
  EXPECT_EQ(again.happened.built.size(), 1U);
  EXPECT_EQ(again.state, first.state);
}

TEST_F(CudnnRestore, WhereASavedEngineRefusesAnotherIsFound) {
  const Graph graph = others();
  const Forced forced{{"b", "conv:simt-64x64"}, {"last", "conv:simt-64x64"}};
  const Compiled first = compile(graph, {}, forced);
  fake_.build = [](const test::FakePlan& plan) {
    return plan.engine.index == 1 ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
  };

  const Compiled again = compile(graph, first.state, forced);

  EXPECT_EQ(tactics(again).at(1), "cudnn:eng2:k2.7") << "although b is computed by another kernel";
  expect_right(graph, again);
}

TEST_F(CudnnRestore, NothingIsCheckedOfSlicesThatAreWritten) {
  const Graph graph = others();
  const Compiled first = compile(graph);
  ASSERT_EQ(first.happened.runs.size(), 1U) << "one plan for both halves, which is tried once";

  const Compiled again = compile(graph, first.state);

  EXPECT_TRUE(again.happened.runs.empty());
  EXPECT_EQ(again.happened.built.size(), 2U);
  EXPECT_EQ(again.from_json(), 2U);
  EXPECT_EQ(again.state, first.state);
  expect_right(graph, again);
  EXPECT_EQ(stride_of_last_slice(), 2 * kChannels);
}

TEST_F(CudnnRestore, NothingIsCheckedOfSlicesThatAreNot) {
  const Graph graph = others();
  fake_.run = spill;
  const Compiled first = compile(graph);
  ASSERT_EQ(first.happened.runs.size(), 1U);

  const Compiled again = compile(graph, first.state);

  EXPECT_EQ(again.happened.asked, 0);
  EXPECT_TRUE(again.happened.runs.empty());
  EXPECT_EQ(again.happened.built.size(), 2U) << "none that writes slices";
  EXPECT_EQ(again.from_json(), 2U);
  EXPECT_EQ(again.state, first.state);
  expect_right(graph, again);
  EXPECT_EQ(stride_of_last_slice(), kChannels);
}

TEST_F(CudnnRestore, OfNestedSlicesNoPlanIsBuiltForNothing) {
  const Graph graph = nested();
  for (const bool spills : {false, true}) {
    SCOPED_TRACE(spills);
    if (spills) fake_.run = spill;
    const Compiled first = compile(graph);
    ASSERT_EQ(std::ranges::count(tactics(first), "cudnn:eng1:k2.7"), 3);
    ASSERT_EQ(std::ranges::count(tactics(first), "depthwise:runs+cudnn:eng1:k2.7"), 1);

    const Compiled again = compile(graph, first.state);

    EXPECT_EQ(tactics(again), tactics(first));
    EXPECT_EQ(again.happened.asked, 0);
    EXPECT_EQ(again.from_json(), again.happened.built.size());
    EXPECT_EQ(again.happened.built.size(), 2U) << "of the slices and of what reads them";
    EXPECT_EQ(again.state, first.state);
    EXPECT_EQ(again.notices, Strings{});
    expect_right(graph, again);
  }
}

TEST_F(CudnnRestore, AnEngineWithTooLittleWorkspaceIsFoundAnew) {
  const Graph graph = others();
  for (const bool spills : {false, true}) {
    SCOPED_TRACE(spills);
    if (spills) fake_.run = spill;
    Compiled first = compile(graph);
    std::size_t engines = 0;
    for (auto& [key, text] : first.state) {
      if (!key.starts_with("engine of ")) continue;
      ASSERT_EQ(text, "0 100") << key;
      // Of the halves' there is enough still, up to the place for a result that is copied.
      text = "0 1";
      ++engines;
    }
    ASSERT_EQ(engines, 2U);

    const Compiled again = compile(graph, first.state);

    EXPECT_GT(again.happened.asked, 0);
    EXPECT_EQ(tactics(again), tactics(first));
    ASSERT_EQ(again.notices.size(), 1U);
    EXPECT_TRUE(again.notices[0].starts_with("1 of cuDNN's saved plans")) << again.notices[0];
    EXPECT_NE(again.notices[0].find("needs 100 bytes of workspace; its engine said 1)"),
              std::string::npos)
        << again.notices[0];
    expect_right(graph, again);
  }
}

TEST_F(CudnnRestore, OtherSizesAreAskedForAsEver) {
  const Compiled first = compile(two_separable(16), {}, {{"first", "separable:simt-64x64"}});

  EXPECT_GT(compile(two_separable(24), first.state).happened.asked, 0);
}

/// As what cuDNN refuses is computed otherwise, and told, by whoever restores too.
TEST_F(CudnnRestore, RefusalsAreRemembered) {
  const Graph graph = test::one_convolution({kBatch, 4, 4, 8}, {1, 1}, 8, {}, 1);
  fake_.build = [](const test::FakePlan&) { return CUDNN_STATUS_NOT_SUPPORTED; };
  fake_.logged_reason = "the moon is full";
  const Compiled first = compile(graph);
  const auto refusal = [](const Compiled& compiled) {
    return compiled.plan->tactics.decisions.at(0).refusal;
  };
  ASSERT_NE(refusal(first).find("the moon is full"), std::string::npos) << refusal(first);

  const Compiled again = compile(graph, first.state);

  EXPECT_EQ(again.happened.asked, 0);
  EXPECT_EQ(tactics(again), tactics(first));
  EXPECT_EQ(refusal(again), refusal(first));
  EXPECT_EQ(again.state, first.state);
}

}  // namespace
}  // namespace fovea
