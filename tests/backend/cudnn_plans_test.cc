// Graphs, candidates and plans, on a cuDNN that computes nothing.
#include "engine/backend/cuda/cudnn_plans.h"

#include <algorithm>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "tests/support/errors.h"
#include "tests/support/fake_cudnn.h"

namespace fovea::cuda {
namespace {

using Strings = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

/// 3x3, 16 to 24 channels of 5x6 pixels, with everything behind it.
CudnnConvolution full_convolution() {
  return {.dtype = DType::kFloat16,
          .n = 2,
          .h = 5,
          .w = 6,
          .c = 16,
          .out_h = 5,
          .out_w = 6,
          .out_c = 24,
          .kernel = {3, 3},
          .pads = {1, 0, 1, 2},
          .x = {.pixel_stride = 40, .alignment = 8},
          .y = {.pixel_stride = 24, .alignment = 16},
          .residual = true,
          .z = {.pixel_stride = 32, .alignment = 4},
          .bias = CudnnBias::kFloat32,
          .activation = ActivationKind::kRelu};
}

test::FakeEngine engine(std::int64_t index) {
  return {.engine = {index, {{2, index}}}, .workspace_bytes = 100 + index};
}

std::vector<test::FakeEngine> engines(std::int64_t first, std::int64_t last) {
  std::vector<test::FakeEngine> list;
  for (std::int64_t index = first; index <= last; ++index) list.push_back(engine(index));
  return list;
}

Integers indices(const std::vector<CudnnCandidate>& candidates) {
  Integers list;
  for (const CudnnCandidate& candidate : candidates) list.push_back(candidate.engine.index);
  return list;
}

class CudnnPlansTest : public testing::Test {
 protected:
  void TearDown() override {
    plans_.reset();
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  CudnnPlans& plans() {
    if (plans_ == nullptr) plans_ = std::make_unique<CudnnPlans>(fake_.library(), CudnnDevice{});
    return *plans_;
  }

  std::shared_ptr<const CudnnCandidates> candidates(
      const CudnnConvolution& convolution = full_convolution()) {
    return plans().candidates(convolution);
  }

  test::FakeCudnn fake_;
  std::unique_ptr<CudnnPlans> plans_;
};

TEST_F(CudnnPlansTest, GraphsAddTheResidualThenTheBiasThenTheActivation) {
  (void)candidates();

  const test::FakePlan graph = fake_.record().graphs.at(0);
  EXPECT_EQ(graph.operations, (Strings{"conv", "add", "add", "relu"}));
  const auto tensor = [&](CudnnTensor id) {
    return graph.tensors.at(static_cast<std::int64_t>(id));
  };
  EXPECT_EQ(tensor(CudnnTensor::kX).dims, (Integers{2, 16, 5, 6}));
  EXPECT_EQ(tensor(CudnnTensor::kX).strides, (Integers{5 * 6 * 40, 1, 6 * 40, 40}));
  EXPECT_EQ(tensor(CudnnTensor::kX).alignment, 8);
  EXPECT_EQ(tensor(CudnnTensor::kWeights).dims, (Integers{24, 16, 3, 3}));
  EXPECT_EQ(tensor(CudnnTensor::kWeights).strides, (Integers{9 * 16, 1, 3 * 16, 16}));
  EXPECT_EQ(tensor(CudnnTensor::kBias).type, CUDNN_DATA_FLOAT);
  EXPECT_EQ(tensor(CudnnTensor::kResidual).strides, (Integers{5 * 6 * 32, 1, 6 * 32, 32}));
  EXPECT_EQ(tensor(CudnnTensor::kResidual).alignment, 4);
  EXPECT_EQ(tensor(CudnnTensor::kY).strides, (Integers{5 * 6 * 24, 1, 6 * 24, 24}));
  EXPECT_EQ(tensor(CudnnTensor::kY).type, CUDNN_DATA_HALF);
  EXPECT_EQ(graph.tensors.size(), 5U) << "what lies between operations is in no memory";
}

TEST_F(CudnnPlansTest, ABareConvolutionWritesItsOutputItself) {
  CudnnConvolution bare = full_convolution();
  bare.residual = false;
  bare.bias = CudnnBias::kNone;
  bare.activation = ActivationKind::kNone;

  (void)candidates(bare);

  EXPECT_EQ(fake_.record().graphs.at(0).operations, Strings{"conv"});
  EXPECT_EQ(fake_.record().graphs.at(0).tensors.size(), 3U);
}

TEST_F(CudnnPlansTest, TakesTheBestOfEachModeOnce) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = engines(10, 21);
  fake_.proposals[CUDNN_HEUR_MODE_B] = {engine(12), engine(30), engine(10), engine(31), engine(32)};
  fake_.proposals[CUDNN_HEUR_MODE_FALLBACK] = {engine(10), engine(40), engine(41)};

  const auto found = candidates();

  EXPECT_EQ(indices(found->best), (Integers{10, 11, 12, 13, 14, 15, 16, 17, 30, 31}));
  EXPECT_EQ(indices(found->fallback), (Integers{40}));
  EXPECT_EQ(to_string(found->best[2].engine), "eng12:k2.12");
  EXPECT_EQ(found->best[2].workspace_bytes, 112U);
}

TEST_F(CudnnPlansTest, EnginesDifferByTheirKnobs) {
  test::FakeEngine other = engine(10);
  other.engine.knobs = {{2, 10}, {14, -1}};
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(10), other};

  const auto found = candidates();

  ASSERT_EQ(found->best.size(), 2U);
  EXPECT_EQ(to_string(found->best[1].engine), "eng10:k2.10:k14.-1");
}

TEST_F(CudnnPlansTest, LeavesOutWhatBreaksARule) {
  test::FakeEngine random = engine(1);
  random.numerical = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
  test::FakeEngine half_sums = engine(2);
  half_sums.numerical = {CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION};
  test::FakeEngine reorder = engine(3);
  reorder.behavior = {CUDNN_BEHAVIOR_NOTE_REQUIRES_FILTER_INT8x32_REORDER};
  test::FakeEngine large = engine(4);
  large.workspace_bytes = (std::int64_t{1} << 30U) + 1;
  test::FakeEngine tensor_core = engine(5);
  tensor_core.numerical = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE};
  test::FakeEngine compiled = engine(6);
  compiled.behavior = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION};
  test::FakeEngine winograd = engine(7);
  winograd.numerical = {CUDNN_NUMERICAL_NOTE_WINOGRAD};
  fake_.proposals[CUDNN_HEUR_MODE_A] = {
      random, half_sums, reorder, large, tensor_core, compiled, winograd};

  const auto found = candidates();

  EXPECT_EQ(indices(found->best), (Integers{5, 6, 7}));
  EXPECT_FALSE(found->best[0].compiles_kernels);
  EXPECT_TRUE(found->best[1].compiles_kernels);
  ASSERT_EQ(found->refusals.size(), 4U);
  EXPECT_EQ(found->refusals[0], "eng1:k2.1: not deterministic");
  EXPECT_EQ(found->refusals[3],
            "eng4:k2.4: needs 1073741825 bytes of workspace, more than 1073741824");

  CudnnConvolution strict = full_convolution();
  strict.dtype = DType::kFloat32;
  EXPECT_EQ(indices(candidates(strict)->best), (Integers{6, 7}));
  strict.tf32 = true;
  EXPECT_EQ(indices(candidates(strict)->best), (Integers{5, 6, 7}));
  strict.exact_convolutions = true;
  EXPECT_EQ(indices(candidates(strict)->best), (Integers{5, 6}));
}

TEST_F(CudnnPlansTest, WithoutNvrtcNoEngineThatCompiles) {
  test::FakeEngine compiled = engine(6);
  compiled.behavior = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION};
  fake_.proposals[CUDNN_HEUR_MODE_A] = {compiled, engine(7)};
  const auto library = fake_.library();
  library->compiles_kernels = false;
  plans_ = std::make_unique<CudnnPlans>(library, CudnnDevice{});

  EXPECT_EQ(indices(candidates()->best), Integers{7});
}

TEST_F(CudnnPlansTest, MakesEverythingOnceForAllThatAsk) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const CudnnEngine first = engine(1).engine;
  std::vector<std::shared_ptr<const CudnnPlan>> got(8);
  {
    std::vector<std::jthread> threads;
    for (auto& plan : got) {
      threads.emplace_back([&] {
        (void)candidates();
        plan = plans().plan(full_convolution(), first);
      });
      if (threads.size() == 1) threads.back().join();  // plans() itself is not for several threads
    }
  }

  EXPECT_EQ(std::set(got.begin(), got.end()).size(), 1U);
  EXPECT_EQ(fake_.record().built.size(), 1U);
  EXPECT_EQ(fake_.record().graphs.size(), 2U) << "of the candidates and of the plan";
}

TEST_F(CudnnPlansTest, BuildsSeveralAtOnceWithAHandleEach) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  fake_.build = [&](const test::FakePlan& plan) {
    {
      const std::scoped_lock lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return plan.engine.index == 2 ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
  };
  std::vector<std::pair<CudnnConvolution, CudnnEngine>> wanted;
  for (const auto& proposed : engines(1, 4))
    wanted.emplace_back(full_convolution(), proposed.engine);

  plans().build(wanted);

  EXPECT_EQ(threads.size() > 1, std::thread::hardware_concurrency() > 1);
  EXPECT_EQ(fake_.record().built.size(), 3U);
  test::expect_error(ErrorCode::kDeviceFailed, "FAKE_STATUS_3000", [&] {
    (void)plans().plan(full_convolution(), engine(2).engine);
  });
  EXPECT_EQ(fake_.record().built.size(), 3U) << "a refusal is kept as well";
}

TEST_F(CudnnPlansTest, TellsWhyAnEngineRefuses) {
  fake_.build = [](const test::FakePlan&) { return CUDNN_STATUS_NOT_SUPPORTED; };
  fake_.logged_reason = "the filter is too large";
  test::expect_error(ErrorCode::kDeviceFailed,
                     "cuDNN: building a plan: FAKE_STATUS_3000: the filter is too large",
                     [&] { (void)plans().plan(full_convolution(), engine(1).engine); });

  fake_.last_error = "no such kernel";
  test::expect_error(ErrorCode::kDeviceFailed, "FAKE_STATUS_3000: no such kernel", [&] {
    (void)plans().plan(full_convolution(), engine(2).engine);
  });
}

TEST_F(CudnnPlansTest, AModeThatFailsIsARefusal) {
  fake_.proposals[CUDNN_HEUR_MODE_B] = {engine(1)};
  const std::int64_t before = [&] {
    (void)candidates();
    return fake_.record().calls;
  }();
  ASSERT_GT(before, 0);
  plans_.reset();
  // The heuristics' descriptor of mode A is the first thing behind the graph.
  bool seen = false;
  for (std::int64_t call = 0; call < before && !seen; ++call) {
    fake_.failing_call = fake_.record().calls + call;
    plans_ = nullptr;
    try {
      const auto found = candidates();
      seen = !found->refusals.empty() && indices(found->best) == Integers{1} &&
             found->refusals[0].starts_with("heuristics A: cuDNN: ");
    } catch (const CudnnError&) {
      continue;  // of the graph
    }
  }
  EXPECT_TRUE(seen);
}

/// What a step with that engine saves.
SavedState saved(CudnnPlans& plans, const CudnnConvolution& convolution, std::int64_t index) {
  const test::FakeEngine chosen = engine(index);
  SavedState state;
  save({.asked = convolution,
        .engine = {.candidate = {.engine = chosen.engine,
                                 .workspace_bytes =
                                     static_cast<std::size_t>(chosen.workspace_bytes)},
                   .rank = 0},
        .plans = {{convolution, plans.plan(convolution, chosen.engine)}}},
       state);
  return state;
}

TEST_F(CudnnPlansTest, SavedPlansAreLoaded) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const SavedState state = saved(plans(), full_convolution(), 1);
  const std::string name =
      "f16[2,5,6,16] x40@8 k[3,3] s[1,1] d[1,1] p[1,0,1,2] g1 [5,6,24] y24@16 z+bf+relu "
      "z32@4|eng1:k2.1";
  ASSERT_EQ(state.size(), 2U);
  EXPECT_EQ(state.at("engine of " + name), "0 101");
  EXPECT_TRUE(state.contains("plan of " + name));

  plans_ = std::make_unique<CudnnPlans>(fake_.library(), CudnnDevice{});
  plans().restore(state);
  const auto plan = plans().plan(full_convolution(), engine(1).engine);

  EXPECT_TRUE(fake_.record().built.back().from_json);
  EXPECT_EQ(plan->workspace_bytes(), 101U);
  const auto known = plans().saved().engines(full_convolution());
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].candidate.engine, engine(1).engine);
  EXPECT_EQ(known[0].candidate.workspace_bytes, 101U);
  EXPECT_EQ(plans().notices(), Strings{});
}

TEST_F(CudnnPlansTest, SavedPlansThatDoNotLoadAreBuiltAgain) {
  SavedState state = saved(plans(), full_convolution(), 1);
  state.merge(saved(plans(), full_convolution(), 2));
  fake_.build = [](const test::FakePlan& plan) {
    return plan.from_json ? CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH : CUDNN_STATUS_SUCCESS;
  };
  const std::size_t before = fake_.record().built.size();

  plans_ = std::make_unique<CudnnPlans>(fake_.library(), CudnnDevice{});
  plans().restore(state);
  (void)plans().plan(full_convolution(), engine(1).engine);
  (void)plans().plan(full_convolution(), engine(2).engine);

  EXPECT_FALSE(fake_.record().built.back().from_json);
  EXPECT_EQ(fake_.record().built.size(), before + 2);
  ASSERT_EQ(plans().notices().size(), 1U);
  EXPECT_EQ(plans().notices()[0],
            "2 of cuDNN's saved plans could not be loaded and were made again, which "
            "takes longer (the first: cuDNN: building a plan: FAKE_STATUS_1003)");
}

TEST_F(CudnnPlansTest, SavedPlansThatNeedMoreThanTheirEngineSaidAreBuiltAgain) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2)};
  const auto plan_in = [](SavedState& state) -> std::string& {
    return std::ranges::find_if(
               state, [](const auto& entry) { return entry.first.starts_with("plan of "); })
        ->second;
  };
  SavedState state = saved(plans(), full_convolution(), 1);
  SavedState other = saved(plans(), full_convolution(), 2);
  plan_in(state) = plan_in(other);

  plans_ = std::make_unique<CudnnPlans>(fake_.library(), CudnnDevice{});
  plans().restore(state);
  const auto plan = plans().plan(full_convolution(), engine(1).engine, 101);

  EXPECT_FALSE(fake_.record().built.back().from_json);
  EXPECT_EQ(plan->workspace_bytes(), 101U);
  ASSERT_EQ(plans().notices().size(), 1U);
  EXPECT_NE(plans().notices()[0].find("it needs 102 bytes of workspace; its engine said 101"),
            std::string::npos)
      << plans().notices()[0];
}

TEST_F(CudnnPlansTest, PlansOutliveTheirMaker) {
  auto plan = plans().plan(full_convolution(), engine(1).engine);
  plans_.reset();

  EXPECT_GT(fake_.record().live_objects, 0);
  EXPECT_NE(plan->json(), "");
}

/// Whatever call fails: nothing is left behind, the error is typed, and nothing more is called but
/// by the heuristics, whose other modes are still asked.
TEST(CudnnFailures, LeaveNothingBehindWhereverTheyHappen) {
  const auto work = [](const test::FakeCudnn& fake) {
    const auto library = fake.library();
    CudnnPlans plans(library, CudnnDevice{});
    const auto found = plans.candidates(full_convolution());
    const auto plan = plans.plan(full_convolution(), engine(1).engine);
    (void)plan->json();
    const std::vector<CudnnTensor> tensors = tensors_of(full_convolution());
    const std::vector<void*> addresses(tensors.size());
    const Descriptor pack = make_variant_pack(*library, tensors, addresses, nullptr);
    const CudnnHandle handle = make_handle(*library);
    check(*library,
          library->execute(handle.get(), plan->descriptor().get(), pack.get()),
          "executing a plan");
    return found->refusals.size();
  };
  std::int64_t calls = 0;
  std::int64_t failures = 0;
  std::int64_t refused = 0;
  for (std::int64_t call = -1; call < calls; ++call) {
    test::FakeCudnn fake;
    fake.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2)};
    fake.proposals[CUDNN_HEUR_MODE_FALLBACK] = {engine(3)};
    fake.failing_call = call;
    fake.failure = CUDNN_STATUS_INTERNAL_ERROR;

    std::size_t refusals = 0;
    const std::string error = test::error_of([&] { refusals = work(fake); });

    const test::FakeRecord record = fake.record();
    EXPECT_EQ(record.live_objects, 0) << "call " << call;
    EXPECT_EQ(record.misuse, Strings{}) << "call " << call;
    if (call < 0) {
      calls = record.calls;
      EXPECT_EQ(error, "");
    } else if (error.empty()) {
      ++refused;
      EXPECT_EQ(refusals, 1U) << "call " << call;
    } else {
      ++failures;
      EXPECT_TRUE(error.starts_with("device/failed: cuDNN: ")) << error;
      EXPECT_EQ(record.calls_after_failure, 0) << "call " << call << ": " << error;
    }
  }
  EXPECT_GT(failures, 100);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(failures + refused, calls);
}

}  // namespace
}  // namespace fovea::cuda
