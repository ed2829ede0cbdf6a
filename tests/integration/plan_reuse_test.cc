// What a plan file's user gets of how it was compiled: locks of single nodes, and the precision.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>
#include <fovea/compiler.h>
#include <fovea/explain.h>
#include <fovea/plan_file.h>
#include <fovea/verify.h>

#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/api/plan_file.h"
#include "engine/backend/cpu/library.h"
#include "engine/core/file.h"
#include "engine/graph/random_weights.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

class PlanReuseTest : public testing::Test {
 protected:
  PlanReuseTest() { ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1); }

  void TearDown() override { ::unsetenv("FOVEA_TACTIC"); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  [[nodiscard]] static CompileOptions cpu() {
    CompileOptions options;
    options.backend = "cpu";
    options.buckets = {1};
    options.threads = 1;
    return options;
  }

  /// Four convolutions, of which "a" and "b" are one operation to the compiler.
  [[nodiscard]] static Model convolutions() {
    const Conv2dSpec conv{.filters = 32, .kernel = {3, 3}, .padding = Padding::same()};
    GraphBuilder net;
    Tensor x = net.input({12, 12, 32}, "x");
    for (const char* name : {"first", "a", "b", "last"}) x = net.conv2d(x, conv, name);
    net.output(x);
    Graph graph = ModelGraphAccess::graph(net.build());
    fill_random_weights(graph, /*seed=*/1, /*head=*/1);
    auto impl = std::make_shared<Model::Impl>();
    impl->manifest.name = "convolutions";
    impl->graph = ModelGraphAccess::wrap(std::move(graph));
    return Model(std::move(impl));
  }

  /// Of convolutions(), as a plan.
  [[nodiscard]] SavedPlan save(const std::string& name, const CompileOptions& options) const {
    return save_plan(convolutions(), path(name), options);
  }

  [[nodiscard]] std::shared_ptr<const Plan> load(const std::string& name,
                                                 const CompileOptions& options = cpu()) const {
    return compile(open_model(path(name)).graph(), options);
  }

  [[nodiscard]] static ChosenTactic chosen(const Plan& plan, const std::string& node) {
    for (const ChosenTactic& tactic : explain(plan).tactics) {
      if (tactic.node == node) return tactic;
    }
    return {};
  }

  /// What the backend offers for "a" besides its own first choice; empty where it has none.
  [[nodiscard]] static std::string second_choice() {
    const ChosenTactic first = chosen(*compile(convolutions().graph(), cpu()), "a");
    for (const OfferedTactic& offered : first.offered) {
      if (offered.tactic != first.tactic) return offered.tactic;
    }
    return {};
  }

  [[nodiscard]] CompileOptions locked(const std::string& batch, const std::string& tactic) const {
    write_file_atomic(path("lock.json"),
                      R"({"tactics": {"a": {")" + batch + R"(": ")" + tactic + R"("}}})");
    CompileOptions options = cpu();
    options.lock = path("lock.json");
    return options;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

class PlanLocksTest : public PlanReuseTest {
 protected:
  void SetUp() override {
    if (second_choice().empty()) GTEST_SKIP() << "this processor has one way to convolve";
  }
};

TEST_F(PlanLocksTest, ALockedNodeStaysLockedAndNoOtherIs) {
  const SavedPlan saved = save("x.plan", locked("1", second_choice()));

  const auto loaded = load("x.plan");

  EXPECT_EQ(chosen(*loaded, "a").tactic, second_choice());
  EXPECT_EQ(chosen(*loaded, "a").source, "locked");
  EXPECT_EQ(chosen(*loaded, "b").source, "plan");
  EXPECT_NE(chosen(*loaded, "b").tactic, second_choice());
  EXPECT_EQ(loaded->summary(), saved.plan->summary());
}

TEST_F(PlanLocksTest, AForcedNodeStaysAsItWasForced) {
  ::setenv("FOVEA_TACTIC", ("a=" + second_choice()).c_str(), 1);
  const SavedPlan saved = save("x.plan", cpu());
  ::unsetenv("FOVEA_TACTIC");

  const auto loaded = load("x.plan");

  EXPECT_EQ(chosen(*loaded, "a").source, "locked");
  EXPECT_EQ(loaded->summary(), saved.plan->summary());
}

TEST_F(PlanLocksTest, ALockHoldsForBatchSizesThatWereNotCompiled) {
  (void)save("x.plan", locked("*", second_choice()));
  CompileOptions options = cpu();
  options.buckets = {3};

  EXPECT_EQ(chosen(*load("x.plan", options), "a").source, "locked");
}

TEST_F(PlanLocksTest, ALockOfTheUserComesFirst) {
  (void)save("x.plan", locked("1", second_choice()));
  const std::string first = chosen(*compile(convolutions().graph(), cpu()), "a").tactic;

  const auto loaded = load("x.plan", locked("1", first));

  EXPECT_EQ(chosen(*loaded, "a").tactic, first);
}

TEST_F(PlanLocksTest, APlanOfAPlanKeepsThem) {
  (void)save("x.plan", locked("1", second_choice()));

  (void)save_plan(open_model(path("x.plan")), path("y.plan"), cpu());

  EXPECT_EQ(read_file(path("y.plan")), read_file(path("x.plan")));
}

TEST_F(PlanLocksTest, AThreadForEveryPictureToleratesLocksForSharedRuns) {
  CompileOptions options = cpu();
  options.threads = 2;
  const auto plan = compile(convolutions().graph(), options);
  save_tactics(*plan, path("all.json"));
  options.lock = path("all.json");

  const SavedPlan saved = save("x.plan", options);

  EXPECT_TRUE(saved.plan->notices().empty());
  EXPECT_EQ(saved.plan->summary(), plan->summary());
}

TEST_F(PlanReuseTest, ASavedPlanTellsOfOneThreadForEveryPictureToo) {
  CompileOptions options = cpu();
  options.threads = 2;

  const SavedPlan saved = save("x.plan", options);

  CompileOptions alone = cpu();
  const auto want = explain(*compile(convolutions().graph(), alone)).tactics;
  std::vector<ChosenTactic> got;
  std::ranges::copy_if(explain(*saved.plan).tactics, std::back_inserter(got), [](const auto& one) {
    return one.threads == 1;
  });
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i].node, want[i].node);
    EXPECT_EQ(got[i].tactic, want[i].tactic) << want[i].node;
  }
}

TEST_F(PlanLocksTest, SavedTacticsLockTheWholeNetwork) {
  const auto plan = compile(convolutions().graph(), cpu());
  save_tactics(*plan, path("all.json"));
  CompileOptions options = cpu();
  options.lock = path("all.json");

  const auto again = compile(convolutions().graph(), options);

  EXPECT_EQ(again->summary(), plan->summary());
  for (const ChosenTactic& tactic : explain(*again).tactics) {
    EXPECT_EQ(tactic.source, "locked") << tactic.node;
  }
  expect_error(ErrorCode::kIoWrite, "absent", [&] { save_tactics(*plan, path("absent/x.json")); });
}

/// Writes the plan again with another section of locks.
void relock(const std::string& from, const std::string& to, std::string_view text) {
  const PlanFile file(from);
  PlanWriter writer(to);
  for (const PlanSection& section : file.sections()) {
    writer.start(section.name);
    if (section.name == "locks") {
      writer.write(text);
    } else {
      writer.write(section.bytes);
    }
  }
  writer.commit();
}

TEST_F(PlanLocksTest, OneThatThisMachineLacksIsToldAndLeft) {
  (void)save("x.plan", locked("1", second_choice()));
  relock(path("x.plan"), path("y.plan"), R"({"tactics": {"a": "of/another"}})");

  const auto plan = load("y.plan");

  EXPECT_NE(chosen(*plan, "a").source, "locked");
  ASSERT_EQ(plan->notices().size(), 1U);
  EXPECT_NE(plan->notices()[0].find("'a': 'of/another'"), std::string::npos);
  CompileOptions reference = cpu();
  reference.backend = "reference";
  EXPECT_TRUE(load("y.plan", reference)->notices().empty());
}

TEST_F(PlanLocksTest, ThatAreNoneAreRefused) {
  (void)save("x.plan", locked("1", second_choice()));
  relock(path("x.plan"), path("y.plan"), R"({"tactics": {"a": 1}})");

  expect_error(ErrorCode::kPlanCorrupt, "'locks'", [&] { (void)open_model(path("y.plan")); });
}

class PlanPrecisionTest : public PlanReuseTest {
 protected:
  void SetUp() override {
    if (bf16_support() == Bf16Support::kNone) GTEST_SKIP() << "this processor has no bf16";
    CompileOptions options = cpu();
    options.precision = Precision::kBf16;
    (void)save_plan(open_model("lenet5"), path("x.plan"), options);
    plan_ = path("x.plan");
  }

  [[nodiscard]] static bool is_bf16(const Plan& plan) {
    return plan.summary().find("bf16[") != std::string::npos;
  }

  std::string plan_;
};

TEST_F(PlanPrecisionTest, IsThePlansWhereNobodyNamesOne) {
  const Model model = open_model(plan_);

  EXPECT_EQ(model.default_precision(), Precision::kBf16);
  EXPECT_TRUE(is_bf16(*compile(model.graph(), cpu())));
  EXPECT_TRUE(is_bf16(*Classifier::open(plan_).prepare().plan));
  EXPECT_EQ(verify(model).precision, "bf16");
  (void)save_plan(model, path("y.plan"), cpu());
  EXPECT_EQ(read_file(path("y.plan")), read_file(plan_));
}

TEST_F(PlanPrecisionTest, IsTheCallersWhereOneIsNamed) {
  ClassifierOptions options;
  options.precision = Precision::kFp32;

  EXPECT_FALSE(is_bf16(*Classifier::open(plan_, options).prepare().plan));
}

}  // namespace
}  // namespace fovea
