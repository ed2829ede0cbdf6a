// Which candidate a measurement prefers, what it refuses, and when it stops.
#include "engine/plan/tuner.h"

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "engine/passes/constants.h"
#include "tests/unit/plan/fake_backend.h"

namespace fovea {
namespace {

using test::FakeBackend;
using test::FakeTactic;
using Fault = FakeTactic::Fault;

/// A dense layer and its candidates.
class TunerTest : public testing::Test {
 protected:
  TunerTest() {
    const Value x = graph_.add(Input{{DType::kFloat32, {3, 8}}}, {}, "x");
    const Value w = graph_.add(make_constant({5, 8}, std::vector<float>(40, 0.5F)), {}, "w");
    node_ = graph_.add(Dense{}, {x, w}, "dense").node;
  }

  struct Result {
    std::optional<std::size_t> winner;
    std::vector<TacticCandidate> candidates;
    TuningSummary summary;
  };

  Result measure(std::vector<FakeTactic> fakes,
                 std::size_t heuristic = 0,
                 const std::optional<Layout>& wanted = {},
                 double seconds = 100) {
    backend_.table["Dense"] = std::move(fakes);
    const OpSite site{.graph = graph_,
                      .node = graph_.node(node_),
                      .inputs = std::vector<Layout>(2),
                      .wanted = {wanted}};
    const std::vector<Tactic> tactics = backend_.tactics(site);
    Result result;
    for (const Tactic& tactic : tactics) result.candidates.push_back({tactic.name, 0, {}});
    Tuner tuner(backend_, Tuning::kFast, seconds);
    result.winner = tuner.measure(site, tactics, heuristic, result.candidates);
    result.summary = tuner.summary();
    return result;
  }

  FakeBackend backend_;
  Graph graph_;
  NodeId node_ = -1;
};

/// A convolution adds to its residual where that lies, and must be checked before it has done so.
TEST_F(TunerTest, AResidualIsUnharmedWhenItIsChecked) {
  const Value x = graph_.add(Input{{DType::kFloat32, {1, 4, 4, 2}}}, {}, "picture");
  const Value w =
      graph_.add(make_constant({2, 1, 1, 2}, std::vector<float>{1, 2, 3, 4}), {}, "weights");
  const Value r = graph_.add(Input{{DType::kFloat32, {1, 4, 4, 2}}}, {}, "residual");
  node_ = graph_.add(Conv2d{.residual = true}, {x, w, r}, "conv").node;
  backend_.table["Conv2d"] = {{"a", 100}, {"b", 40}, {"c", 30, Fault::kWritesNothing}};
  for (FakeTactic& fake : backend_.table["Conv2d"]) fake.in_place = true;
  const OpSite site{graph_, graph_.node(node_), std::vector<Layout>(3)};
  std::vector<TacticCandidate> candidates{{"a"}, {"b"}, {"c"}};
  Tuner tuner(backend_, Tuning::kFast, 100);

  EXPECT_EQ(tuner.measure(site, backend_.tactics(site), 0, candidates), 1U);

  EXPECT_TRUE(candidates[0].refused.empty()) << candidates[0].refused;
  EXPECT_TRUE(candidates[1].refused.empty()) << candidates[1].refused;
  EXPECT_FALSE(candidates[2].refused.empty());
  EXPECT_EQ(backend_.runs_in_place, backend_.runs - 3);  // all but the three checks
}

TEST_F(TunerTest, AResidualThatIsAlsoTheInputStays) {
  const Value x = graph_.add(Input{{DType::kFloat32, {1, 4, 4, 2}}}, {}, "picture");
  const Value w =
      graph_.add(make_constant({2, 1, 1, 2}, std::vector<float>{1, 2, 3, 4}), {}, "weights");
  node_ = graph_.add(Conv2d{.residual = true}, {x, w, x}, "conv").node;
  backend_.table["Conv2d"] = {{"a", 100}, {"b", 40}};
  for (FakeTactic& fake : backend_.table["Conv2d"]) fake.in_place = true;
  const OpSite site{graph_, graph_.node(node_), std::vector<Layout>(3)};
  std::vector<TacticCandidate> candidates{{"a"}, {"b"}};
  Tuner tuner(backend_, Tuning::kFast, 100);

  EXPECT_EQ(tuner.measure(site, backend_.tactics(site), 0, candidates), 1U);

  EXPECT_EQ(backend_.runs_in_place, 0U);
}

TEST_F(TunerTest, TheFastestWins) {
  const Result result = measure({{"a", 100}, {"b", 40}, {"c", 60}});

  EXPECT_EQ(result.winner, 1U);
  EXPECT_NEAR(result.candidates[0].microseconds, 100, 1e-3);
  EXPECT_NEAR(result.candidates[1].microseconds, 40, 1e-3);
  EXPECT_NEAR(result.candidates[2].microseconds, 60, 1e-3);
  EXPECT_EQ(result.summary.measured, 1U);
}

TEST_F(TunerTest, OnlyMoreThanTwoPercentDisplacesTheHeuristic) {
  EXPECT_EQ(measure({{"a", 98.5}, {"b", 100}}, 1).winner, 1U);
  EXPECT_EQ(measure({{"a", 97.5}, {"b", 100}}, 1).winner, 0U);
}

TEST_F(TunerTest, ConversionsCount) {
  backend_.conversion_microseconds = 50;

  EXPECT_EQ(measure({{"a", 100}, {"b", 60, Fault::kNone, "blocked"}}).winner, 0U);
  EXPECT_EQ(measure({{"a", 100}, {"b", 40, Fault::kNone, "blocked"}}).winner, 1U);
  EXPECT_NEAR(measure({{"a", 100}, {"b", 40, Fault::kNone, "blocked"}}).candidates[1].microseconds,
              90,
              1e-3);
}

TEST_F(TunerTest, TheWayBackToTheHeuristicsLayoutCounts) {
  backend_.conversion_microseconds = 50;

  EXPECT_EQ(measure({{"a", 100}, {"b", 60, Fault::kNone, "", "blocked"}}).winner, 0U);
  EXPECT_EQ(measure({{"a", 100, Fault::kNone, "", "blocked"}, {"b", 60}}).winner, 0U);
  EXPECT_EQ(measure({{"a", 100, Fault::kNone, "", "blocked"}, {"b", 40}}).winner, 1U);
}

TEST_F(TunerTest, TheWayToWhereTheResultIsWantedCounts) {
  backend_.conversion_microseconds = 50;

  EXPECT_EQ(measure({{"a", 100, Fault::kNone, "", "blocked"}, {"b", 120}}, 0, {Layout{}}).winner,
            1U);
}

TEST_F(TunerTest, AWrongOneLosesHoweverFast) {
  for (const Fault fault : {Fault::kLastElement, Fault::kWritesNothing}) {
    const Result result = measure({{"a", 100}, {"b", 1, fault}, {"c", 90}});

    EXPECT_EQ(result.winner, 2U);
    EXPECT_NE(result.candidates[1].refused.find("differs from the reference"), std::string::npos)
        << result.candidates[1].refused;
    EXPECT_EQ(result.candidates[1].microseconds, 0);
  }
}

TEST_F(TunerTest, OneThatThrowsLoses) {
  const Result built = measure({{"a", 100}, {"b", 1, Fault::kThrowsInBuild}});
  EXPECT_EQ(built.winner, 0U);
  EXPECT_EQ(built.candidates[1].refused, "cannot build");

  const Result run = measure({{"a", 100}, {"b", 1, Fault::kThrowsInRun}});
  EXPECT_EQ(run.winner, 0U);
  EXPECT_EQ(run.candidates[1].refused, "it broke");
}

TEST_F(TunerTest, AWrongHeuristicIsDisplacedBySomethingSlower) {
  EXPECT_EQ(measure({{"a", 1, Fault::kLastElement}, {"b", 100}}).winner, 1U);
}

TEST_F(TunerTest, NobodyWinsWhereAllAreWrong) {
  const Result result = measure({{"a", 1, Fault::kLastElement}, {"b", 100, Fault::kThrowsInBuild}});

  EXPECT_EQ(result.winner, std::nullopt);
  EXPECT_FALSE(result.candidates[0].refused.empty());
  EXPECT_FALSE(result.candidates[1].refused.empty());
}

TEST_F(TunerTest, MeasuresNothingWhenTheTimeIsUp) {
  const Result result = measure({{"a", 100}, {"b", 40}}, 0, {std::nullopt}, 1e-9);

  EXPECT_EQ(result.winner, std::nullopt);
  EXPECT_EQ(result.summary.out_of_time, 1U);
  EXPECT_EQ(result.summary.measured, 0U);
  EXPECT_EQ(backend_.runs, 0U);
}

TEST_F(TunerTest, StopsInTheMiddleWhenTheTimeIsUp) {
  backend_.on_run = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };

  const Result result = measure({{"a", 1000}, {"b", 400}}, 0, {std::nullopt}, 0.05);

  EXPECT_EQ(result.winner, std::nullopt);
  EXPECT_EQ(result.summary.out_of_time, 1U);
  EXPECT_GE(backend_.runs, 2U);
  EXPECT_LT(backend_.runs, 40U);
}

TEST_F(TunerTest, NothingIsDecidedWhileOthersHaveTheProcessors) {
  backend_.on_run = [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); };

  const Result result = measure({{"a", 1000}, {"b", 400}});

  EXPECT_EQ(result.winner, std::nullopt);
  EXPECT_EQ(result.summary.disturbed, 1U);
  EXPECT_EQ(result.summary.measured, 0U);
  for (const TacticCandidate& candidate : result.candidates) {
    EXPECT_EQ(candidate.microseconds, 0) << candidate.tactic;
  }
}

TEST_F(TunerTest, HalfAMeasurementIsNone) {
  (void)measure({{"a", 1000}, {"b", 900}});
  const std::size_t first_round_ends = backend_.runs - 12;  // of seven with a run of each
  backend_.runs = 0;
  backend_.on_run = [&] {
    if (backend_.runs != first_round_ends + 1) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
  };

  const Result result = measure({{"a", 1000}, {"b", 900}}, 0, {std::nullopt}, 0.5);

  EXPECT_EQ(result.summary.out_of_time, 1U);
  for (const TacticCandidate& candidate : result.candidates) {
    EXPECT_EQ(candidate.microseconds, 0) << candidate.tactic;
  }
}

TEST_F(TunerTest, AHopelessOneIsNotRunAgainAndAgain) {
  std::size_t slow_runs = 0;
  (void)measure({{"a", 1000}, {"b", 900}});
  const std::size_t both = backend_.runs;
  backend_.runs = 0;

  const Result result = measure({{"a", 1000}, {"b", 9000}});
  slow_runs = backend_.runs;

  EXPECT_EQ(result.winner, 0U);
  EXPECT_NEAR(result.candidates[1].microseconds, 9000, 0.1);
  EXPECT_LT(slow_runs, both);
}

TEST_F(TunerTest, OnADeviceAHopelessOneIsCheckedAndRunOnce) {
  backend_.host = false;
  (void)measure({{"a", 1000}});
  const std::size_t alone = backend_.runs;
  backend_.runs = 0;

  const Result result = measure({{"a", 1000}, {"b", 10001}});

  EXPECT_EQ(result.winner, 0U);
  EXPECT_NEAR(result.candidates[1].microseconds, 10001, 0.1);
  EXPECT_EQ(backend_.runs, alone + 2);
}

/// Something else on the machine took the processor during one of its turns.
TEST_F(TunerTest, OneUnluckyTurnDiscardsNobody) {
  for (std::size_t run = 10; run <= 18; ++run) {
    const Result result =
        measure({{"a", 100}, FakeTactic{.name = "b", .microseconds = 40, .unlucky_run = run}});

    EXPECT_EQ(result.winner, 1U) << "run " << run;
    EXPECT_NEAR(result.candidates[1].microseconds, 40, 1e-3) << "run " << run;
  }
}

TEST_F(TunerTest, TimesCapturedWorkWhereAStreamCaptures) {
  backend_.captures = true;

  const Result result = measure({{"a", 100}, {"b", 40, Fault::kNone, "blocked"}});

  EXPECT_EQ(result.winner, 1U);
  EXPECT_NEAR(result.candidates[0].microseconds, 100, 1e-3);
  EXPECT_NEAR(result.candidates[1].microseconds, 90, 1e-3);
}

TEST_F(TunerTest, OneThatCannotBeCapturedHarmsNoOther) {
  backend_.captures = true;

  const Result result = measure({{"a", 100}, {"b", 40, Fault::kThrowsInCapture}, {"c", 60}});

  EXPECT_EQ(result.winner, 2U);
  EXPECT_EQ(result.candidates[1].refused, "not so");
  EXPECT_NEAR(result.candidates[2].microseconds, 60, 1e-3);
}

TEST_F(TunerTest, OneThatThrowsOnlyAfterAWhileLoses) {
  std::size_t left = 30;
  backend_.on_run = [&] {
    if (left-- == 0) throw std::runtime_error("worn out");
  };

  const Result result = measure({{"a", 100}, {"b", 40}});

  ASSERT_TRUE(result.winner);
  const std::size_t loser = 1 - *result.winner;
  EXPECT_EQ(result.candidates[loser].refused, "worn out");
  EXPECT_TRUE(result.candidates[*result.winner].refused.empty());
}

TEST_F(TunerTest, LeavesItWhereThereIsTooLittleMemory) {
  backend_.memory = {.free_bytes = 1000, .total_bytes = 1000};

  EXPECT_EQ(measure({{"a", 100}, {"b", 40}}).winner, std::nullopt);
}

}  // namespace
}  // namespace fovea
