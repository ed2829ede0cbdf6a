// What is taken in the place of tactics that a measurement has refused, and what is told of it; and
// for which tactics a choice that was kept still holds.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "engine/plan/execution_plan.h"
#include "tests/support/errors.h"
#include "tests/unit/plan/fake_backend.h"

namespace fovea {
namespace {

using test::expect_error;
using test::FakeBackend;
using Fault = test::FakeTactic::Fault;

/// A network of one Tanh that has tactics to choose from, "a".
class RefusedTactics : public testing::Test {
 protected:
  RefusedTactics() {
    backend_->table["Tanh"] = {{"first", 100}, {"second", 50}, {"third", 200}};
    const Value x = graph_.add(Input{{DType::kFloat32, {kBatch, 8}}}, {}, "x");
    graph_.mark_output(graph_.add(Tanh{}, {x}, "a"));
    options_.tactics.tuning = Tuning::kFast;
    options_.tactics.timing_folder = folder_.path();
  }

  void break_tactic(std::size_t i, Fault fault = Fault::kLastElement) {
    backend_->table["Tanh"][i].fault = fault;
  }

  /// Every run waits, as if other programs had the processor.
  void disturb() {
    backend_->on_run = [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); };
  }

  TacticRecord compile() {
    backend_->runs = 0;
    return compile_plan(graph_, backend_, options_)->tactics;
  }

  static void expect_choice(const TacticRecord& record,
                            const std::string& tactic,
                            TacticSource source) {
    ASSERT_EQ(record.decisions.size(), 1U);
    EXPECT_EQ(record.decisions[0].tactic, tactic);
    EXPECT_EQ(to_string(record.decisions[0].source), to_string(source));
  }

  /// How many notices begin so.
  static std::ptrdiff_t told(const TacticRecord& record, const std::string& begin) {
    return std::ranges::count_if(
        record.notices, [&](const std::string& notice) { return notice.starts_with(begin); });
  }

  std::shared_ptr<FakeBackend> backend_ = std::make_shared<FakeBackend>();
  Graph graph_;
  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
  PlanOptions options_{.buckets = {2}};
};

TEST_F(RefusedTactics, AWrongHeuristicIsNotTakenWhenTheTimeIsUpAfterTheChecks) {
  break_tactic(0);
  options_.tactics.tuning_seconds = 0.5;
  backend_->on_run = [this] {
    if (backend_->runs == 3) std::this_thread::sleep_for(std::chrono::milliseconds(600));
  };

  const TacticRecord record = compile();

  EXPECT_EQ(record.tuning.out_of_time, 1U);
  EXPECT_EQ(backend_->runs, 3U) << "checks";
  expect_choice(record, "second", TacticSource::kHeuristic);
  EXPECT_EQ(told(record, "'first' is not used for node 'a' (batch 2): its result differs"), 1);
}

TEST_F(RefusedTactics, AWrongHeuristicIsNotTakenOnADisturbedMachine) {
  break_tactic(0);
  disturb();

  const TacticRecord record = compile();

  EXPECT_EQ(record.tuning.disturbed, 1U);
  expect_choice(record, "second", TacticSource::kHeuristic);
  EXPECT_EQ(told(record, "'first' is not used for node 'a'"), 1);
}

/// The next best is the heuristic's own: here the one without conversions.
TEST_F(RefusedTactics, TheHeuristicChoosesAmongTheOthers) {
  backend_->table["Tanh"] = {
      {"first", 100}, {"blocked", 50, Fault::kNone, "blocked", "blocked"}, {"third", 200}};
  break_tactic(0);
  disturb();

  expect_choice(compile(), "third", TacticSource::kHeuristic);
}

TEST_F(RefusedTactics, NothingIsCompiledWhereAllAreWrong) {
  for (std::size_t i = 0; i < 3; ++i) break_tactic(i);

  expect_error(ErrorCode::kDeviceFailed,
               "all tactics that fake has for node 'a' (batch 2) are wrong; 'first': its result "
               "differs from the reference",
               [this] { (void)compile(); });
}

TEST_F(RefusedTactics, OneThatCouldNotBeRunComesBeforeWrongOnesAndIsTold) {
  break_tactic(0);
  break_tactic(1, Fault::kThrowsInRun);
  break_tactic(2);

  const TacticRecord record = compile();

  expect_choice(record, "second", TacticSource::kHeuristic);
  EXPECT_EQ(told(record, "'first' is not used for node 'a'"), 1);
  EXPECT_EQ(told(record, "'second' is not used"), 0);
  EXPECT_EQ(told(record,
                 "'second' failed when it was measured, and is used all the same, for node 'a' "
                 "(batch 2): it broke"),
            1);
}

TEST_F(RefusedTactics, AChoiceOfTheCacheThatProvesWrongIsNotTaken) {
  expect_choice(compile(), "second", TacticSource::kMeasured);
  break_tactic(1);
  options_.tactics.tuning = Tuning::kFull;
  disturb();

  const TacticRecord record = compile();

  EXPECT_EQ(record.tuning.disturbed, 1U);
  expect_choice(record, "first", TacticSource::kHeuristic);
  EXPECT_EQ(told(record, "'second' is not used for node 'a'"), 1);
}

TEST_F(RefusedTactics, WhatIsForcedIsNotSaidToBeUnused) {
  const Value z = graph_.add(Input{{DType::kFloat32, {kBatch, 8}}}, {}, "z");
  graph_.mark_output(graph_.add(Tanh{}, {z}, "twin"));
  break_tactic(0);
  options_.tactics.forced = {{"a", "first"}};

  const TacticRecord record = compile();

  EXPECT_EQ(record.decisions[0].tactic, "first");
  EXPECT_EQ(record.decisions[1].tactic, "second");
  EXPECT_EQ(told(record, "'first' is not used for node 'twin'"), 1);
  EXPECT_EQ(told(record, "'first' is not used for node 'a'"), 0);
}

TEST_F(RefusedTactics, ANewTacticIsMeasuredAgainstTheCachesChoice) {
  expect_choice(compile(), "second", TacticSource::kMeasured);
  backend_->table["Tanh"].push_back({"new", 10});

  expect_choice(compile(), "new", TacticSource::kMeasured);
  expect_choice(compile(), "new", TacticSource::kCache);
}

TEST_F(RefusedTactics, AnotherOrderOfTheSameTacticsIsTheSameChoice) {
  expect_choice(compile(), "second", TacticSource::kMeasured);
  std::ranges::reverse(backend_->table["Tanh"]);

  expect_choice(compile(), "second", TacticSource::kCache);
}

TEST_F(RefusedTactics, APlansChoiceHoldsWhateverElseIsOffered) {
  options_.tactics.choices = choices_of(compile());
  backend_->table["Tanh"].push_back({"new", 10});

  expect_choice(compile(), "second", TacticSource::kPlan);
}

}  // namespace
}  // namespace fovea
