// Every call to the emulated device fails once, at once or when its work is due: what a context
// says then, and that it answers nothing any more.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/cuda_stream.h"
#include "engine/backend/cuda/emulated_device.h"
#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "engine/runtime/execution_context.h"
#include "kernels/simt/emulator.h"
#include "kernels/simt/stream.h"
#include "tests/support/known_batches.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

namespace emulated = cuda::emulated;
using emulated::Failure;

Graph network() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6}}}, {}, "x");
  const Value w = graph.add(make_constant({4, 6}, test::random_floats(24, 1)), {}, "w");
  graph.mark_output(graph.add(Softmax{}, {graph.add(Dense{}, {x, w}, "scores")}, "p"), "y");
  return graph;
}

/// What came of a run in which a call failed.
struct Outcome {
  std::string first_error;  ///< empty: none was thrown
  std::size_t answers = 0;  ///< batches that were answered, all of them rightly
};

class CudaPipelineFailures : public testing::Test {
 protected:
  void TearDown() override {
    (void)emulated::fail_no_call();
    simt::set_stream_order(simt::StreamOrder::kOnDemand);
  }

  [[nodiscard]] auto fill(std::size_t i) const {
    return [this, i](auto to) { return known_[i].fill(to); };
  }

  /// Opens a context, submits and collects all batches, some of them after an error.
  Outcome run() {
    Outcome outcome;
    std::optional<PipelinedContext> context;
    try {
      context.emplace(plan_, 2);
    } catch (const DeviceError& error) {
      outcome.first_error = error.what();
      return outcome;
    }
    std::vector<PipelinedContext::Batch> batches;
    const auto attempt = [&](const auto& call) {
      try {
        call();
      } catch (const DeviceError& error) {
        expect_told(outcome, error);
      }
    };
    for (std::size_t i = 0; i < known_.size(); i += 2) {
      attempt([&] { batches.push_back(context->submit(fill(i))); });
      attempt([&] { batches.push_back(context->submit(fill(i + 1))); });
      for (std::size_t b = 0; b < batches.size(); ++b) {
        attempt([&] {
          StageTimes times;
          const auto got = batches[b].collect(&times);
          EXPECT_TRUE(outcome.first_error.empty()) << "an answer after a failure";
          EXPECT_TRUE(known_[i + b].equals(got)) << "a wrong answer";
          ++outcome.answers;
        });
      }
      batches.clear();
    }
    return outcome;
  }

  /// The first error is that of the call; later ones repeat it.
  static void expect_told(Outcome& outcome, const DeviceError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDeviceFailed);
    if (outcome.first_error.empty()) {
      outcome.first_error = error.what();
      EXPECT_NE(outcome.first_error.find("fails as it was asked to"), std::string::npos);
    } else {
      EXPECT_NE(std::string(error.what()).find(outcome.first_error), std::string::npos)
          << error.what();
    }
  }

  const std::shared_ptr<const ExecutionPlan> plan_ =
      compile_plan(network(), make_cuda_emu_backend(), {.buckets = {1, 3}, .threads = 1});
  const std::vector<test::KnownBatch> known_ =
      test::known_batches(plan_, std::array<std::int64_t, 6>{1, 3, 2, 3, 1, 2});
};

TEST_F(CudaPipelineFailures, OfEveryCallAreToldOnceAndForAll) {
  const std::uint64_t before = emulated::calls();
  const Outcome good = run();
  const std::uint64_t calls = emulated::calls() - before;
  EXPECT_EQ(good.answers, known_.size());
  EXPECT_EQ(good.first_error, "");
  ASSERT_GT(calls, 100U);
  RecordProperty("device_calls", std::to_string(calls));

  const std::size_t bytes = emulated::device_bytes();
  const std::size_t pinned = emulated::pinned_bytes();
  std::size_t failed = 0;
  for (const Failure failure : {Failure::kOfTheCall, Failure::kOfItsWork}) {
    for (std::uint32_t seed = 0; seed < 3; ++seed) {
      for (std::uint64_t call = 0; call < calls; ++call) {
        SCOPED_TRACE(
            cat("call ", call, ", seed ", seed, failure == Failure::kOfTheCall ? "" : ", late"));
        simt::set_stream_order(
            seed == 0 ? simt::StreamOrder::kOnDemand : simt::StreamOrder::kRandom, seed);
        emulated::fail_call(call, failure);

        const Outcome outcome = run();

        EXPECT_FALSE(emulated::fail_no_call()) << "the call was never made";
        const bool told = !outcome.first_error.empty();
        failed += told ? 1 : 0;
        // Nobody waits after the last batch, but for the destructor.
        EXPECT_TRUE(told || outcome.answers == known_.size());
        EXPECT_TRUE(!told || outcome.answers < known_.size());
        EXPECT_EQ(emulated::device_bytes(), bytes);
        EXPECT_EQ(emulated::pinned_bytes(), pinned);
      }
    }
  }
  // Three calls of each run are the destructor's, which tells nobody.
  EXPECT_EQ(failed, 2 * 3 * (calls - 3));
}

/// The same for the context that waits for every run: it throws, and nothing of the run is at work
/// afterwards in memory that the caller frees.
TEST_F(CudaPipelineFailures, OfEveryCallOfASynchronousRunAreThrown) {
  const auto run_all = [&]() -> std::size_t {
    std::size_t errors = 0;
    try {
      ExecutionContext context(plan_);
      for (const test::KnownBatch& known : known_) {
        const std::vector<std::vector<std::byte>> inputs = known.inputs;
        std::vector<std::byte> output(known.outputs[0].size());
        const std::span<const std::byte> in(inputs[0]);
        const std::span<std::byte> out(output);
        StageTimes times;
        try {
          context.run(known.n, {&in, 1}, {&out, 1}, &times);
          EXPECT_EQ(output, known.outputs[0]);
        } catch (const DeviceError& error) {
          EXPECT_EQ(error.code(), ErrorCode::kDeviceFailed);
          ++errors;
        }
      }
    } catch (const DeviceError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kDeviceFailed);
      ++errors;
    }
    return errors;
  };
  const std::uint64_t before = emulated::calls();
  EXPECT_EQ(run_all(), 0U);
  const std::uint64_t calls = emulated::calls() - before;
  ASSERT_GT(calls, 50U);

  for (const Failure failure : {Failure::kOfTheCall, Failure::kOfItsWork}) {
    for (std::uint64_t call = 0; call < calls; ++call) {
      SCOPED_TRACE(call);
      emulated::fail_call(call, failure);
      EXPECT_EQ(run_all(), 1U);
      EXPECT_FALSE(emulated::fail_no_call());
    }
  }
}

/// A kernel that faults: captured work, in the middle of a replay.
TEST_F(CudaPipelineFailures, OfOneStreamEndAllBatchesInFlight) {
  PipelinedContext context(plan_, 2);
  auto one = context.submit(fill(0));
  const std::unique_ptr<Stream> other = plan_->backend->make_stream(1);
  simt::enqueue(cuda::as_cuda(*other), [] { throw simt::EmulationError("a fault elsewhere"); });
  EXPECT_THROW(other->synchronize(), DeviceError);

  EXPECT_THROW((void)one.collect(), DeviceError);

  EXPECT_THROW((void)context.submit(fill(1)), DeviceError);
}

}  // namespace
}  // namespace fovea
