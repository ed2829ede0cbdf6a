// Plan files through the library: saved, opened, compiled again, damaged.
#include "engine/api/plan_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>
#include <fovea/compiler.h>
#include <fovea/context.h>
#include <fovea/plan_file.h>

#include "engine/api/compile.h"
#include "engine/core/file.h"
#include "engine/plan/execution_plan.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class PlanFileTest : public testing::Test {
 protected:
  PlanFileTest() { ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  /// LeNet-5 with the weights that come with the library, as a plan.
  [[nodiscard]] std::string lenet(const std::string& name = "lenet5.plan",
                                  const PlanFileOptions& options = {}) const {
    (void)save_plan(open_model("lenet5"), path(name), {.buckets = {1, 4}, .threads = 1}, options);
    return path(name);
  }

  /// What the network makes of a picture of noise.
  static std::vector<float> outputs(const Model& model, const CompileOptions& options) {
    const auto plan = compile(model.graph(), options);
    Context context(plan);
    std::vector<float> in(28 * 28);
    std::mt19937 random(3);
    for (float& value : in) value = static_cast<float>(random() % 256) / 255;
    std::vector<float> out(10);
    const auto input = std::as_bytes(std::span(in));
    const auto output = std::as_writable_bytes(std::span(out));
    context.run(1, {&input, 1}, {&output, 1});
    return out;
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

const CompileOptions kOneThread{.buckets = {1}, .threads = 1};

TEST_F(PlanFileTest, IsTheModelThatItWasMadeOf) {
  const Model before = open_model("lenet5");

  const Model after = open_model(lenet());

  EXPECT_EQ(after.name(), "lenet5");
  EXPECT_EQ(after.inputs(), before.inputs());
  EXPECT_EQ(after.outputs(), before.outputs());
  ASSERT_TRUE(after.preprocessing());
  EXPECT_EQ(after.preprocessing()->mode, before.preprocessing()->mode);
  ASSERT_EQ(after.labels().size(), before.labels().size());
  EXPECT_EQ(after.labels()[3].text, before.labels()[3].text);
  EXPECT_EQ(outputs(after, kOneThread), outputs(before, kOneThread));
}

TEST_F(PlanFileTest, UsesItsPackedWeightsFromTheMapping) {
  const OpenedPlan opened = open_plan_file(lenet());

  const auto backend = backend_for("auto", nullptr);
  WeightStore store(*backend, opened.precompiled->packed);
  for (const auto& [key, place] : opened.precompiled->facts.packed) {
    const auto got =
        store.get(key, place.bytes, [&](auto) { FAIL() << key << " is packed again"; });
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(got.get()) % kPackedAlignment, 0U) << key;
  }
  EXPECT_GE(opened.precompiled->facts.packed.size(), 8U) << "weights and biases of four layers";
}

TEST_F(PlanFileTest, PacksNothingThatThePlanHas) {
  const OpenedPlan opened = open_plan_file(lenet());
  const Graph& graph = opened.package.graph;
  const auto backend = backend_for("auto", nullptr);
  WeightStore store(*backend, opened.precompiled->packed);

  (void)compile_plan(graph, backend, {.buckets = {1, 4}, .threads = 1}, store);

  store.for_each([&](const std::string& key, std::span<const std::byte> bytes) {
    const auto known = opened.precompiled->packed->by_key.find(key);
    ASSERT_NE(known, opened.precompiled->packed->by_key.end()) << key;
    EXPECT_EQ(bytes.data(), known->second.data()) << key << " was packed again";
  });
}

TEST_F(PlanFileTest, WorksForOtherBatchSizesBackendsAndTaps) {
  const Model before = open_model("lenet5");
  const Model after = open_model(lenet());

  CompileOptions other = kOneThread;
  other.backend = "reference";
  EXPECT_EQ(outputs(after, other), outputs(before, other));
  other = kOneThread;
  other.buckets = {7};
  EXPECT_EQ(outputs(after, other), outputs(before, other));
  EXPECT_EQ(compile(after.graph(), {.buckets = {1}, .taps = {"c3"}})->outputs().size(), 2U);
}

TEST_F(PlanFileTest, KeepsLabelsAndPreprocessingOfTheCaller) {
  const Model network = [&] {
    ModelOptions options;
    options.mode = Normalization::kTf;
    return open_model("lenet5", options);
  }();

  (void)save_plan(network, path("x.plan"), kOneThread);

  EXPECT_EQ(open_model(path("x.plan")).preprocessing()->mode, Normalization::kTf);
  ModelOptions again;
  again.mode = Normalization::kUnit;
  EXPECT_EQ(open_model(path("x.plan"), again).preprocessing()->mode, Normalization::kUnit);
}

TEST_F(PlanFileTest, TheSameModelAndOptionsGiveTheSameBytes) {
  EXPECT_EQ(read_file(lenet("a.plan")), read_file(lenet("b.plan")));
}

TEST_F(PlanFileTest, APlanOfAPlanIsTheSamePlan) {
  (void)save_plan(open_model(lenet("a.plan")), path("b.plan"), {.buckets = {1, 4}, .threads = 1});

  EXPECT_EQ(read_file(path("a.plan")), read_file(path("b.plan")));
}

TEST_F(PlanFileTest, SharesWeightsThroughTheCache) {
  const PlanFileOptions shared{.shared_weights = true};
  const std::string plan = lenet("shared.plan", shared);
  const std::vector<float> want = outputs(open_model("lenet5"), kOneThread);

  EXPECT_EQ(outputs(open_model(plan), kOneThread), want);
  EXPECT_LT(fs::file_size(plan), fs::file_size(lenet()));
  EXPECT_EQ(inspect_file(plan).weights.place, "cache");
  EXPECT_EQ(inspect_file(plan).weights.sha256, inspect_file(lenet()).weights.sha256);

  const fs::path tensors = folder_.path() / "home" / "tensors";
  const fs::path file = fs::directory_iterator(tensors)->path();
  std::vector<std::byte> bytes = read_file(file);
  bytes.back() ^= std::byte{1};
  write_file_atomic(file, bytes);
  expect_error(
      ErrorCode::kWeightsHashMismatch, "compile it again", [&] { (void)open_model(plan); });
  fs::remove(file);
  expect_error(ErrorCode::kWeightsMissing, "FOVEA_HOME", [&] { (void)open_model(plan); });
  EXPECT_EQ(inspect_file(plan).weights.sha256, "");
  EXPECT_EQ(outputs(open_model(lenet("shared.plan", shared)), kOneThread), want) << "healed";
}

TEST_F(PlanFileTest, TellsWhatIsInIt) {
  const FileInfo info = inspect_file(lenet());

  EXPECT_EQ(info.model, "lenet5");
  ASSERT_TRUE(info.compiled);
  EXPECT_EQ(info.weights.sha256.size(), 64U);
  EXPECT_GT(info.compiled->packed_bytes, 0U);
  ASSERT_EQ(info.compiled->buckets.size(), 2U);
  EXPECT_EQ(info.compiled->buckets[1].batch, 4);
  EXPECT_GE(info.compiled->buckets[0].arena_bytes, info.compiled->buckets[0].lower_bound_bytes);
  const auto& steps = info.compiled->buckets[0].steps;
  EXPECT_TRUE(std::ranges::any_of(steps, [](const StepInfo& step) {
    return step.tactic.starts_with("onednn:") && step.output.starts_with("f32[1,");
  }));

  save_package(open_model("lenet5"), path("package"));
  const FileInfo package = inspect_file(path("package"));
  EXPECT_FALSE(package.compiled);
  EXPECT_EQ(package.weights.sha256, info.weights.sha256) << "the same weights.safetensors";
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path("package"))) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_EQ(package.file_bytes, bytes);
  expect_error(ErrorCode::kModelNotFound, "absent", [&] { (void)inspect_file(path("absent")); });
  write_file_atomic(path("text"), std::string_view("hello"));
  expect_error(
      ErrorCode::kModelUnsupportedFormat, "text", [&] { (void)inspect_file(path("text")); });
}

TEST_F(PlanFileTest, RefusesWhatIsNoPlanFile) {
  write_file_atomic(path("empty.plan"), std::string_view());
  write_file_atomic(path("text.plan"), std::string_view("hello"));
  fs::create_directory(path("folder.plan"));

  expect_error(ErrorCode::kPlanCorrupt, "empty", [&] { (void)open_model(path("empty.plan")); });
  expect_error(ErrorCode::kPlanCorrupt, "begin", [&] { (void)open_model(path("text.plan")); });
  expect_error(
      ErrorCode::kModelNotFound, "manifest.json", [&] { (void)open_model(path("folder.plan")); });
  expect_error(ErrorCode::kArgumentInvalid, "own weights", [&] {
    (void)open_model(lenet(), {.weights = "random"});
  });
}

/// The sections of a plan file written again, with one of them replaced: damage that has hashes
/// which fit.
void rewrite(const std::string& from,
             const std::string& to,
             const std::string& section,
             std::string_view text) {
  const PlanFile file(from);
  PlanWriter writer(to);
  for (const PlanSection& old : file.sections()) {
    writer.start(old.name);
    if (old.name == section) {
      writer.write(text);
    } else {
      writer.write(old.bytes);
    }
  }
  writer.commit();
}

TEST_F(PlanFileTest, RefusesSectionsThatDoNotFitTogether) {
  const std::string plan = lenet();
  const auto expect_corrupt = [&](const std::string& section, std::string_view text) {
    rewrite(plan, path("bad.plan"), section, text);
    expect_error(
        ErrorCode::kPlanCorrupt, "'" + section + "'", [&] { (void)open_model(path("bad.plan")); });
  };
  for (const std::string section : {"manifest", "graph", "weights", "choices", "compiled"}) {
    expect_corrupt(section, "");
    expect_corrupt(section, "{}");
    expect_corrupt(section, "[[[[");
  }
  CompiledFacts facts = PlanFile(plan).facts();
  const std::size_t packed = PlanFile(plan).bytes("packed").size();
  const std::vector<CompiledFacts::Place> outside{
      {.offset = 0, .bytes = packed + 1},
      {.offset = packed + 64, .bytes = 0},
      {.offset = 64, .bytes = ~std::uint64_t{0}},
      {.offset = ~std::uint64_t{0} - 63, .bytes = 64},
      {.offset = 8, .bytes = 8},
  };
  for (const CompiledFacts::Place& place : outside) {
    facts.packed.begin()->second = place;
    expect_corrupt("compiled", to_json(facts));
  }
}

TEST_F(PlanFileTest, CompilesTheModelInsideWhereTheMachineIsAnother) {
  const std::string plan = lenet();
  CompiledFacts facts = PlanFile(plan).facts();
  facts.fingerprint = "cpu; another one";
  // Were they taken for this machine's, the answers would be wrong.
  facts.packed.clear();
  rewrite(plan, path("other.plan"), "compiled", to_json(facts));

  const Model model = open_model(path("other.plan"));

  EXPECT_EQ(outputs(model, kOneThread), outputs(open_model("lenet5"), kOneThread));
  testing::internal::CaptureStderr();
  const auto compiled = compile(model.graph(), kOneThread);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a library prints nothing";
  ASSERT_EQ(compiled->notices().size(), 1U);
  EXPECT_NE(compiled->notices()[0].find("cpu; another one"), std::string::npos)
      << compiled->notices()[0];
  CompileOptions elsewhere = kOneThread;
  elsewhere.backend = "reference";
  EXPECT_TRUE(compile(model.graph(), elsewhere)->notices().empty()) << "who asks for it knows";
}

TEST_F(PlanFileTest, RefusesRandomDamage) {
  const std::string plan = lenet();
  std::vector<std::byte> bytes = read_file(plan);
  std::mt19937 random(5);
  for (int i = 0; i < 500; ++i) {
    const std::size_t bit = random() % (bytes.size() * 8);
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_EQ(test::error_of([&] { (void)read_plan(bytes, "x"); }).substr(0, 13), "plan/corrupt:");
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST_F(PlanFileTest, ManyWritersOfOneFileLeaveAWholeOne) {
  const Model model = open_model("lenet5");
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&] { (void)save_plan(model, path("x.plan"), kOneThread); });
    }
  }
  EXPECT_EQ(open_model(path("x.plan")).name(), "lenet5");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1) << "nothing else is left";
}

TEST_F(PlanFileTest, ReportsWhereItCannotWrite) {
  const Model model = open_model("lenet5");
  expect_error(ErrorCode::kIoWrite, "absent", [&] {
    (void)save_plan(model, path("absent/x.plan"), kOneThread);
  });
  fs::create_directory(path("folder"));
  expect_error(
      ErrorCode::kIoWrite, "folder", [&] { (void)save_plan(model, path("folder"), kOneThread); });
  expect_error(ErrorCode::kWeightsMissing, "weights", [&] {
    (void)save_plan(open_model("lenet5", {.weights = "none"}), path("x.plan"), kOneThread);
  });
  EXPECT_FALSE(fs::exists(path("x.plan")));
}

TEST_F(PlanFileTest, IsTheSameAgainWithTheSameTimes) {
  const Model model = open_model("lenet5");
  const CompileOptions options{.backend = "cpu", .buckets = {1}, .threads = 1, .tuning = "fast"};

  const SavedPlan first = save_plan(model, path("1.plan"), options);
  const SavedPlan second = save_plan(model, path("2.plan"), options);

  const TuningSummary& tuned = first.plan->impl()->tactics.tuning;
  if (tuned.measured == 0) GTEST_SKIP() << "this processor has one way to compute each operation";
  ASSERT_EQ(tuned.out_of_time, 0U);
  EXPECT_EQ(second.plan->impl()->tactics.tuning.measured, 0U);
  EXPECT_TRUE(std::ranges::equal(read_file(path("1.plan")), read_file(path("2.plan"))));
}

}  // namespace
}  // namespace fovea
