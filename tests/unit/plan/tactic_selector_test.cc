// Which tactic is taken, and which of its sources said so.
#include "engine/plan/tactic_selector.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "engine/passes/constants.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/op_signature.h"
#include "tests/support/errors.h"
#include "tests/unit/plan/fake_backend.h"

namespace fovea {
namespace {

using test::expect_error;
using test::FakeBackend;
using Fault = test::FakeTactic::Fault;

class TacticSelectorTest : public testing::Test {
 protected:
  TacticSelectorTest() {
    backend_->table["Tanh"] = {{"first", 100}, {"second", 50}, {"third", 200}};
    const Value x = graph_.add(Input{{DType::kFloat32, {kBatch, 8}}}, {}, "x");
    Value y = graph_.add(Tanh{}, {x}, "a");
    y = graph_.add(Relu{}, {y}, "relu");
    y = graph_.add(Tanh{}, {y}, "b");
    graph_.mark_output(y);
  }

  /// A node "c" with the signature of "a".
  void add_twin_of_a() {
    const Value z = graph_.add(Input{{DType::kFloat32, {kBatch, 8}}}, {}, "z");
    graph_.mark_output(graph_.add(Relu{}, {graph_.add(Tanh{}, {z}, "c")}, "d"));
  }

  [[nodiscard]] TacticRecord compile(TacticOptions options,
                                     std::vector<std::int64_t> buckets = {2}) const {
    PlanOptions plan_options{.buckets = std::move(buckets)};
    plan_options.tactics = std::move(options);
    return compile_plan(graph_, backend_, plan_options)->tactics;
  }

  [[nodiscard]] static const TacticDecision& decision(const TacticRecord& record,
                                                      const std::string& node,
                                                      std::int64_t batch = 2) {
    for (const TacticDecision& decision : record.decisions) {
      if (decision.node == node && decision.batch == batch) return decision;
    }
    throw std::runtime_error("nothing was decided for " + node);
  }

  static void expect_choice(const TacticRecord& record,
                            const std::string& node,
                            const std::string& tactic,
                            TacticSource source,
                            std::int64_t batch = 2) {
    const TacticDecision& made = decision(record, node, batch);
    EXPECT_EQ(made.tactic, tactic) << node;
    EXPECT_EQ(to_string(made.source), to_string(source)) << node;
  }

  /// The signature of `a` and of `b`, which leaves the graph.
  [[nodiscard]] std::string signature(const std::string& node) const {
    return decision(compile({}), node).signature;
  }

  std::shared_ptr<FakeBackend> backend_ = std::make_shared<FakeBackend>();
  Graph graph_;
  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

TEST_F(TacticSelectorTest, TakesTheBackendsFirstWhereNothingElseIsSaid) {
  const TacticRecord record = compile({});

  expect_choice(record, "a", "first", TacticSource::kHeuristic);
  expect_choice(record, "b", "first", TacticSource::kHeuristic);
  EXPECT_EQ(decision(record, "a").candidates,
            (std::vector<TacticCandidate>{{"first", 0, {}}, {"second", 0, {}}, {"third", 0, {}}}));
  EXPECT_EQ(backend_->runs, 0U);
  EXPECT_TRUE(record.notices.empty());
}

TEST_F(TacticSelectorTest, TheHeuristicSparesConversions) {
  backend_->table["Tanh"] = {{"first", 100, Fault::kNone, "blocked", "blocked"}, {"second", 50}};

  const TacticRecord record = compile({});

  expect_choice(record, "a", "second", TacticSource::kHeuristic);
  EXPECT_EQ(decision(record, "a").heuristic, 1U);
}

TEST_F(TacticSelectorTest, TheHeuristicSparesTheCopyOfAResultThatLeaves) {
  backend_->table["Tanh"] = {{"first", 100, Fault::kNone, "", "blocked"}, {"second", 50}};

  const TacticRecord record = compile({});

  expect_choice(record, "a", "first", TacticSource::kHeuristic);
  expect_choice(record, "b", "second", TacticSource::kHeuristic);
}

TEST_F(TacticSelectorTest, ExpectedTimesWeighConversions) {
  // Before "b" lies what Relu wrote, dense, and "b" leaves: two conversions for "blocked".
  backend_->table["Tanh"] = {{"blocked", 100, Fault::kNone, "blocked", "blocked"}, {"dense", 50}};
  const auto expect = [&](double blocked, double dense, double conversion) {
    backend_->table["Tanh"][0].expected_us = blocked;
    backend_->table["Tanh"][1].expected_us = dense;
    backend_->expected_conversion_us = conversion;
    return compile({});
  };

  expect_choice(expect(10, 31, 10), "b", "blocked", TacticSource::kHeuristic);
  expect_choice(expect(10, 30, 10), "b", "blocked", TacticSource::kHeuristic);  // the first
  expect_choice(expect(10, 29, 10), "b", "dense", TacticSource::kHeuristic);
  // "a" is converted once.
  expect_choice(expect(10, 21, 10), "a", "blocked", TacticSource::kHeuristic);
  expect_choice(expect(10, 19, 10), "a", "dense", TacticSource::kHeuristic);
  // Whatever is not expected leaves it to the bytes.
  expect_choice(expect(10, 0, 10), "b", "dense", TacticSource::kHeuristic);
  expect_choice(expect(10, 1000, 0), "b", "dense", TacticSource::kHeuristic);
}

TEST_F(TacticSelectorTest, TellsOfRefusalsOnce) {
  backend_->refused["a"] = "the library is not found";
  backend_->refused["b"] = "too large";

  const TacticRecord record = compile({}, {1, 2});

  EXPECT_EQ(decision(record, "a").refusal, "the library is not found");
  EXPECT_EQ(decision(record, "relu").refusal, "");
  EXPECT_EQ(record.notices,
            (std::vector<std::string>{
                "2 operations are computed by other kernels than the backend's best library has "
                "(the first is 'a', by first), which may be slower: the library is not found"}));
}

TEST_F(TacticSelectorTest, WhatTheBackendHasToTellIsTold) {
  backend_->told = {"it is cold"};

  EXPECT_EQ(compile({}, {1, 2}).notices, std::vector<std::string>{"it is cold"});
}

TEST_F(TacticSelectorTest, AsksItsSourcesInOrder) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  expect_choice(compile(options), "a", "second", TacticSource::kMeasured);

  expect_choice(compile(options), "a", "second", TacticSource::kCache);

  options.choices = {{signature("a"), {"third", 7}}};
  expect_choice(compile(options), "a", "third", TacticSource::kPlan);

  options.locked = {{"a", {{2, "first"}}}};
  expect_choice(compile(options), "a", "first", TacticSource::kLocked);

  options.forced = {{"a", "second"}};
  expect_choice(compile(options), "a", "second", TacticSource::kForced);
}

TEST_F(TacticSelectorTest, WithoutTuningTheCacheIsNotAsked) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  (void)compile(options);

  options.tuning = Tuning::kOff;

  expect_choice(compile(options), "a", "first", TacticSource::kHeuristic);
}

TEST_F(TacticSelectorTest, LocksBatchSizesEachForItself) {
  TacticOptions options;
  options.locked = {{"a", {{2, "second"}, {4, "third"}, {99, "first"}}},
                    {"b", {{kEveryBatch, "third"}, {4, "second"}}}};

  const TacticRecord record = compile(options, {1, 2, 4});

  expect_choice(record, "a", "first", TacticSource::kHeuristic, 1);
  expect_choice(record, "a", "second", TacticSource::kLocked, 2);
  expect_choice(record, "a", "third", TacticSource::kLocked, 4);
  expect_choice(record, "b", "third", TacticSource::kLocked, 1);
  expect_choice(record, "b", "second", TacticSource::kLocked, 4);
}

TEST_F(TacticSelectorTest, ALockOfWhatWasChosenGivesTheSamePlan) {
  TacticOptions tuned;
  tuned.tuning = Tuning::kFast;
  const TacticRecord record = compile(tuned, {1, 2});
  TacticOptions options;

  options.locked = locks_of(record);

  const TacticRecord again = compile(options, {1, 2});
  ASSERT_EQ(again.decisions.size(), record.decisions.size());
  for (std::size_t i = 0; i < record.decisions.size(); ++i) {
    EXPECT_EQ(again.decisions[i].tactic, record.decisions[i].tactic);
    EXPECT_EQ(again.decisions[i].source, TacticSource::kLocked);
  }
}

TEST_F(TacticSelectorTest, RefusesWhatIsNotOffered) {
  TacticOptions forced;
  forced.forced = {{"a", "fourth"}};
  TacticOptions locked;
  locked.locked = {{"b", {{2, "fourth"}}}};

  for (const auto& [options, node] :
       {std::pair{forced, "'a' is forced by FOVEA_TACTIC"}, {locked, "'b' is locked"}}) {
    expect_error(ErrorCode::kArgumentInvalid, node, [&, o = options] { (void)compile(o); });
    expect_error(ErrorCode::kArgumentInvalid, "it offers first, second, third", [&, o = options] {
      (void)compile(o);
    });
  }
}

TEST_F(TacticSelectorTest, WhatIsForOtherThreadsIsLeftAsideAndTold) {
  backend_->table["Tanh"] = {{.name = "first"}, {.name = "split/96x2", .threads = 192}};
  TacticOptions forced;
  forced.forced = {{"a", "split/96x2"}};
  TacticOptions locked;
  locked.locked = {{"a", {{kEveryBatch, "split/96x2"}}}};

  for (const TacticOptions& options : {forced, locked}) {
    const TacticRecord record = compile(options, {2, 4});

    expect_choice(record, "a", "first", TacticSource::kHeuristic);
    ASSERT_EQ(record.notices.size(), 1U);
    EXPECT_EQ(record.notices[0],
              "1 forced or locked tactics are not offered on 1 thread and left aside there (the "
              "first for 'a': 'split/96x2')");
  }
  for (const std::string name : {"split", "split/96", "split/x", "split/9999999999x2", "split/"}) {
    forced.forced = {{"a", name}};
    expect_error(ErrorCode::kArgumentInvalid,
                 cat("'",
                     name,
                     "', which fake does not offer for a batch of 2 on 1 thread; it offers first"),
                 [&] { (void)compile(forced); });
  }
}

TEST_F(TacticSelectorTest, APlansLockForOtherThreadsIsLeftAsideWithoutAWord) {
  backend_->table["Tanh"] = {{.name = "first"}, {.name = "split/96x2", .threads = 192}};
  TacticOptions options;
  options.planned_locks = {{"a", {{kEveryBatch, "split/96x2"}}}};

  const TacticRecord record = compile(options);

  expect_choice(record, "a", "first", TacticSource::kHeuristic);
  EXPECT_TRUE(record.notices.empty());
}

TEST_F(TacticSelectorTest, RefusesNodesThatAreNotComputed) {
  for (const std::string node : {"nobody", "x"}) {
    TacticOptions forced;
    forced.forced = {{node, "first"}};
    TacticOptions locked;
    locked.locked = {{node, {{kEveryBatch, "first"}}}};

    for (const TacticOptions& options : {forced, locked}) {
      expect_error(ErrorCode::kArgumentInvalid, node, [&] { (void)compile(options); });
    }
  }
}

TEST_F(TacticSelectorTest, APlansTacticThatIsGoneFallsBackWithANotice) {
  TacticOptions options;
  options.choices = {{signature("a"), {"of another version", 5}},
                     {signature("b"), {"of another version", 5}}};

  const TacticRecord record = compile(options);

  expect_choice(record, "a", "first", TacticSource::kHeuristic);
  ASSERT_EQ(record.notices.size(), 1U);
  EXPECT_NE(record.notices[0].find("2 saved tactics"), std::string::npos) << record.notices[0];
  EXPECT_NE(record.notices[0].find("'a': 'of another version'"), std::string::npos);
}

TEST_F(TacticSelectorTest, LocksOfAPlanComeAfterTheCallersAndBeforeAllElse) {
  TacticOptions options;
  options.planned_locks = {{"a", {{2, "third"}}}, {"b", {{kEveryBatch, "third"}}}};
  options.locked = {{"b", {{2, "second"}}}};
  options.choices = {{signature("a"), {"second", 5}}};
  options.tuning = Tuning::kFast;

  const TacticRecord record = compile(options, {2, 4});

  expect_choice(record, "a", "third", TacticSource::kLocked);
  expect_choice(record, "b", "second", TacticSource::kLocked);
  expect_choice(record, "b", "third", TacticSource::kLocked, 4);
  EXPECT_EQ(record.notices.size(), 1U) << "that there is no folder for a cache";
}

TEST_F(TacticSelectorTest, LocksOfAPlanThatCannotBeKeptAreLeftAsideAndTold) {
  TacticOptions options;
  options.planned_locks = {{"a", {{2, "of another machine"}}}, {"nobody", {{2, "first"}}}};
  options.choices = {{signature("a"), {"second", 5}}};

  const TacticRecord record = compile(options);

  expect_choice(record, "a", "second", TacticSource::kPlan);
  ASSERT_EQ(record.notices.size(), 1U);
  EXPECT_NE(record.notices[0].find("1 saved tactics"), std::string::npos) << record.notices[0];
  EXPECT_NE(record.notices[0].find("'a': 'of another machine'"), std::string::npos);
}

TEST_F(TacticSelectorTest, ChoicesOfARecordAreThoseOfAPlan) {
  TacticOptions tuned;
  tuned.tuning = Tuning::kFast;
  const TacticRecord record = compile(tuned);
  TacticOptions options;

  options.choices = choices_of(record);

  const Choice& choice = options.choices.at(signature("a"));
  EXPECT_EQ(choice.tactic, "second");
  EXPECT_NEAR(choice.microseconds, 50, 1e-3);
  expect_choice(compile(options), "a", "second", TacticSource::kPlan);
}

TEST_F(TacticSelectorTest, AForcedNodeDoesNotSpeakForOthersOfItsSignature) {
  add_twin_of_a();
  TacticOptions options;
  options.forced = {{"a", "third"}};

  const TacticRecord record = compile(options);

  ASSERT_EQ(decision(record, "a").signature, decision(record, "c").signature);
  EXPECT_EQ(choices_of(record).at(signature("c")), (Choice{"first", 0}));
}

TEST_F(TacticSelectorTest, WhatIsLockedIsNoChoiceForItsSignature) {
  TacticOptions options;
  options.forced = {{"a", "third"}};
  options.locked = {{"b", {{2, "second"}}}};

  const Choices choices = choices_of(compile(options));

  EXPECT_FALSE(choices.contains(signature("a")));
  EXPECT_FALSE(choices.contains(signature("b")));
}

TEST_F(TacticSelectorTest, MeasuresEachSignatureOnce) {
  add_twin_of_a();
  TacticOptions options;
  options.tuning = Tuning::kFast;

  const TacticRecord record = compile(options, {1, 2});

  ASSERT_EQ(decision(record, "a").signature, decision(record, "c").signature);
  EXPECT_EQ(record.tuning.measured, 4U);  // "a" and "c" alike, and "b", in two batch sizes
  expect_choice(record, "c", "second", TacticSource::kMeasured);
  EXPECT_EQ(decision(record, "a").candidates, decision(record, "c").candidates);
}

TEST_F(TacticSelectorTest, WhatTheCacheHasIsNotMeasured) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  (void)compile(options);
  const std::size_t runs = backend_->runs;
  backend_->table["Tanh"][0].microseconds = 1;  // a new measurement would find it

  const TacticRecord record = compile(options);

  EXPECT_EQ(backend_->runs, runs);
  EXPECT_EQ(record.tuning.measured, 0U);
  expect_choice(record, "a", "second", TacticSource::kCache);
}

TEST_F(TacticSelectorTest, FullTuningMeasuresWhatFastTuningHas) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  (void)compile(options);
  backend_->table["Tanh"][0].microseconds = 1;
  options.tuning = Tuning::kFull;

  options.tuning_seconds = 1e-9;
  expect_choice(compile(options), "a", "second", TacticSource::kCache);
  options.tuning_seconds = 100;
  expect_choice(compile(options), "a", "first", TacticSource::kMeasured);
  expect_choice(compile(options), "a", "first", TacticSource::kCache);
  options.tuning = Tuning::kFast;
  expect_choice(compile(options), "a", "first", TacticSource::kCache);
}

TEST_F(TacticSelectorTest, AnotherMachinesTimesDoNotCount) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  (void)compile(options);
  backend_->print = "fake 2";

  expect_choice(compile(options), "a", "second", TacticSource::kMeasured);
}

TEST_F(TacticSelectorTest, ACachedTacticThatIsGoneIsMeasuredAnew) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  (void)compile(options);
  backend_->table["Tanh"] = {{"first", 100}, {"fourth", 50}};

  expect_choice(compile(options), "a", "fourth", TacticSource::kMeasured);
  expect_choice(compile(options), "a", "fourth", TacticSource::kCache);
}

TEST_F(TacticSelectorTest, ADamagedCacheIsMeasuredAnewAndTold) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();
  (void)compile(options);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    write_file_atomic(entry.path(), std::string_view("damage"));
  }

  const TacticRecord record = compile(options);

  expect_choice(record, "a", "second", TacticSource::kMeasured);
  EXPECT_EQ(record.notices.size(), 1U);
  expect_choice(compile(options), "a", "second", TacticSource::kCache);
}

TEST_F(TacticSelectorTest, TheRestKeepsTheHeuristicWhenTheTimeIsUp) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.tuning_seconds = 1e-9;

  const TacticRecord record = compile(options, {1, 2});

  EXPECT_EQ(record.tuning.measured, 0U);
  EXPECT_EQ(record.tuning.out_of_time, 4U);
  expect_choice(record, "a", "first", TacticSource::kHeuristic);
  const auto told = std::ranges::find_if(record.notices, [](const std::string& notice) {
    return notice.find("4 of 4 operations") != std::string::npos;
  });
  ASSERT_NE(told, record.notices.end());
  EXPECT_TRUE(told->ends_with("; allow more seconds")) << "no folder keeps the times: " << *told;
}

TEST_F(TacticSelectorTest, TellsWhyTimesAreNotKept) {
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = "/dev/null/timing";

  const TacticRecord record = compile(options);

  ASSERT_EQ(record.notices.size(), 1U);
  EXPECT_EQ(
      record.notices[0],
      "measured times are not kept: cannot make the folder /dev/null/timing: Not a directory");
  EXPECT_FALSE(record.tuning.times_kept);
}

TEST_F(TacticSelectorTest, TellsWhichCandidateWasRefused) {
  backend_->table["Tanh"][1].fault = Fault::kLastElement;
  TacticOptions options;
  options.tuning = Tuning::kFast;
  options.timing_folder = folder_.path();

  const TacticRecord record = compile(options);

  expect_choice(record, "a", "first", TacticSource::kMeasured);
  ASSERT_FALSE(record.notices.empty());
  EXPECT_NE(record.notices[0].find("'second' is not used for node 'a' (batch 2)"),
            std::string::npos)
      << record.notices[0];
}

TEST_F(TacticSelectorTest, LosersLeaveNoWeightsBehind) {
  for (test::FakeTactic& fake : backend_->table["Tanh"]) fake.packed_bytes = 1000;
  PlanOptions options{.buckets = {2}};
  options.tactics.tuning = Tuning::kFast;

  EXPECT_EQ(compile_plan(graph_, backend_, options)->weight_bytes, 1000U);
}

TEST_F(TacticSelectorTest, SaysThatThereIsNoCache) {
  TacticOptions options;
  options.tuning = Tuning::kFast;

  const TacticRecord record = compile(options);

  ASSERT_EQ(record.notices.size(), 1U);
  EXPECT_NE(record.notices[0].find("FOVEA_HOME"), std::string::npos);
}

}  // namespace
}  // namespace fovea
