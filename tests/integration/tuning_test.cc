// Tuning of a real network through the public interface: what is measured, kept and locked.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <fovea/compiler.h>
#include <fovea/model.h>

#include "engine/api/model_graph.h"
#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/passes/constants.h"
#include "engine/plan/execution_plan.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

/// Sets a variable of the environment for as long as it lives.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }

  ~Setting() { ::unsetenv(name_); }

  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
};

class TuningTest : public testing::Test {
 protected:
  [[nodiscard]] static ModelGraph network(const std::string& name) {
    ModelOptions options;
    options.weights = "random:1";
    return open_model(name, options).graph();
  }

  /// Convolutions that there are several ways to compute.
  [[nodiscard]] static ModelGraph convolutions() {
    Graph graph;
    Value x = graph.add(Input{{DType::kFloat32, {kBatch, 12, 12, 32}}}, {}, "x");
    for (const std::int64_t window : {1, 1, 3}) {
      const auto size = static_cast<std::size_t>(32 * window * window * 32);
      const std::string name = "conv" + std::to_string(graph.nodes().size());
      const Value weights =
          graph.add(make_constant({32, window, window, 32}, std::vector<float>(size, 0.01F)),
                    {},
                    name + "/weights");
      x = graph.add(Conv2d{}, {x, weights}, name);
    }
    graph.mark_output(x, "y");
    return ModelGraphAccess::wrap(std::move(graph));
  }

  [[nodiscard]] static CompileOptions cpu_options() {
    CompileOptions options;
    options.backend = "cpu";
    options.buckets = {1};
    options.threads = 1;
    return options;
  }

  [[nodiscard]] static const TacticRecord& record(const Plan& plan) { return plan.impl()->tactics; }

  [[nodiscard]] std::filesystem::path write_lock(const std::string& text) const {
    const auto path = folder_.path() / "lock.json";
    write_file_atomic(path, text);
    return path;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
  Setting home_{"FOVEA_HOME", folder_.path().native()};
};

/// Four stages of five kinds (the first and the other reductions, the 3x3, the expansion with its
/// residual, the shortcut) and the stem; four fewer where a shortcut and its sibling are one.
TEST_F(TuningTest, ResNet50HasTwentyOneKindsOfConvolutions) {
  CompileOptions options = cpu_options();
  options.buckets = {1, 2};

  const auto plan = compile(network("resnet50"), options);

  for (const std::int64_t batch : {1, 2}) {
    std::set<std::string> signatures;
    std::size_t convolutions = 0;
    for (const TacticDecision& decision : record(*plan).decisions) {
      if (decision.batch != batch || !decision.signature.starts_with("Conv2d")) continue;
      signatures.insert(decision.signature);
      ++convolutions;
    }
    EXPECT_GE(convolutions, 49U);
    EXPECT_LE(convolutions, 53U);
    EXPECT_GE(signatures.size(), 17U);
    EXPECT_LE(signatures.size(), 25U);
  }
}

TEST_F(TuningTest, MeasuresASignatureOnceAndNeverAgain) {
  CompileOptions options = cpu_options();
  options.buckets = {1, 2};
  options.tuning = "fast";
  options.tuning_seconds = 100;
  const ModelGraph network = convolutions();

  const auto first = compile(network, options);
  const auto second = compile(network, options);

  std::set<std::string> choices;
  for (const TacticDecision& decision : record(*first).decisions) {
    if (decision.candidates.size() > 1) choices.insert(decision.signature);
  }
  if (choices.empty()) GTEST_SKIP() << "this processor has one way to compute each operation";
  EXPECT_EQ(choices.size(), 4U);  // 1x1 and 3x3, in two batch sizes
  EXPECT_EQ(record(*first).tuning.measured, choices.size());
  EXPECT_EQ(record(*first).tuning.out_of_time, 0U);
  EXPECT_EQ(record(*second).tuning.measured, 0U);
  ASSERT_EQ(record(*second).decisions.size(), record(*first).decisions.size());
  for (std::size_t i = 0; i < record(*first).decisions.size(); ++i) {
    EXPECT_EQ(record(*second).decisions[i].tactic, record(*first).decisions[i].tactic);
  }
  EXPECT_EQ(second->summary(), first->summary());
}

TEST_F(TuningTest, ALockIsReadFromAFile) {
  const ModelGraph lenet = network("lenet5");
  CompileOptions options = cpu_options();
  const auto plan = compile(lenet, options);
  options.lock = write_lock(locked_tactics_json(locks_of(record(*plan))));

  const auto locked = compile(lenet, options);

  EXPECT_EQ(locked->summary(), plan->summary());
  for (const TacticDecision& decision : record(*locked).decisions) {
    EXPECT_EQ(decision.source, TacticSource::kLocked);
  }
}

TEST_F(TuningTest, ABadLockIsRefused) {
  const ModelGraph lenet = network("lenet5");
  CompileOptions options = cpu_options();

  options.lock = folder_.path() / "absent.json";
  expect_error(ErrorCode::kIoRead, "absent.json", [&] { (void)compile(lenet, options); });
  options.lock = write_lock("{");
  expect_error(ErrorCode::kArgumentInvalid, "lock.json", [&] { (void)compile(lenet, options); });
  options.lock = write_lock(R"({"tactics": {"nobody": "x"}})");
  expect_error(ErrorCode::kArgumentInvalid, "nobody", [&] { (void)compile(lenet, options); });
}

TEST_F(TuningTest, TheEnvironmentForces) {
  const ModelGraph lenet = network("lenet5");
  const auto plan = compile(lenet, cpu_options());
  const TacticDecision& first = record(*plan).decisions.front();
  {
    const Setting tactic("FOVEA_TACTIC", first.node + "=" + first.tactic);
    EXPECT_EQ(record(*compile(lenet, cpu_options())).decisions.front().source,
              TacticSource::kForced);
  }
  {
    const Setting tactic("FOVEA_TACTIC", first.node + "=unheard-of");
    expect_error(ErrorCode::kArgumentInvalid, "it offers " + first.tactic, [&] {
      (void)compile(lenet, cpu_options());
    });
  }
  const Setting tactic("FOVEA_TACTIC", "nonsense");
  expect_error(
      ErrorCode::kArgumentInvalid, "FOVEA_TACTIC: ", [&] { (void)compile(lenet, cpu_options()); });
}

TEST_F(TuningTest, BadOptionsAreRefused) {
  const ModelGraph lenet = network("lenet5");
  CompileOptions options = cpu_options();
  options.tuning = "slow";
  expect_error(ErrorCode::kArgumentInvalid, "'slow'", [&] { (void)compile(lenet, options); });
  options.tuning = "fast";
  for (const double seconds : {-1.0, 1e12, std::numeric_limits<double>::quiet_NaN()}) {
    options.tuning_seconds = seconds;
    expect_error(ErrorCode::kArgumentInvalid, "seconds", [&] { (void)compile(lenet, options); });
  }
}

TEST_F(TuningTest, GoesOnWithoutACacheAndSaysSo) {
  const Setting home("FOVEA_HOME", "/dev/null/nowhere");
  CompileOptions options = cpu_options();
  options.tuning = "fast";
  options.buckets = {1};

  const auto plan = compile(convolutions(), options);

  if (record(*plan).tuning.measured == 0) {
    GTEST_SKIP() << "this processor has one way to compute each operation";
  }
  ASSERT_EQ(plan->notices().size(), 1U);
  EXPECT_NE(plan->notices()[0].find("not kept"), std::string::npos) << plan->notices()[0];
}

}  // namespace
}  // namespace fovea
