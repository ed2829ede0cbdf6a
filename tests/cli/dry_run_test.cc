// fovea compile --dry-run on the CPU.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using Words = std::vector<std::string>;

class CliDryRun : public test::CliTest {
 protected:
  [[nodiscard]] test::ProgramResult run(const Words& more) const {
    Words arguments{"compile", "lenet5", "--dry-run", "--backend", "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run_program(
        arguments, {.folder = folder_.path(), .environment = {"FOVEA_HOME=" + path("home")}});
  }
};

TEST_F(CliDryRun, PrintsEveryStepAndWritesNothing) {
  const auto text = run({"--buckets", "1,3"});
  const auto json = run({"--buckets", "1,3", "--json"});

  ASSERT_EQ(text.code, 0) << text.err;
  ASSERT_EQ(json.code, 0) << json.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  const auto plan = nlohmann::json::parse(json.out);
  ASSERT_EQ(plan.at("buckets").size(), 2U);
  const auto& bucket = plan.at("buckets").at(1);
  EXPECT_EQ(bucket.at("batch"), 3);
  EXPECT_EQ(bucket.at("launches"), bucket.at("steps").size());
  for (const auto& step : bucket.at("steps")) {
    EXPECT_NE(text.out.find(step.at("name").get<std::string>()), std::string::npos) << step;
    EXPECT_NE(text.out.find(step.at("tactic").get<std::string>()), std::string::npos) << step;
    EXPECT_FALSE(step.contains("floor_us")) << "nothing says what this processor can do at most";
  }
}

TEST_F(CliDryRun, SaysWhichBatchesDoNotFitIntoMemory) {
  Words command{"compile", "googlenet", "--dry-run", "--backend", "cpu", "--buckets", "1,65536"};
  const auto text = test::run_program(command, {.folder = folder_.path()});
  command.emplace_back("--json");
  const auto json = test::run_program(command, {.folder = folder_.path()});

  ASSERT_EQ(text.code, 0) << text.err;
  ASSERT_EQ(json.code, 0) << json.err;
  const auto plan = nlohmann::json::parse(json.out);
  const auto memory = plan.at("memory_bytes").get<std::uint64_t>();
  const auto arena = plan.at("buckets").at(1).at("arena_bytes").get<std::uint64_t>();
  EXPECT_EQ(text.out.find("  batch 1 does not fit"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("  batch 65536 does not fit") != std::string::npos, arena > memory)
      << text.out;
}

TEST_F(CliDryRun, DownloadsNothing) {
  const test::ProgramOptions offline{
      .folder = folder_.path(), .environment = {"FOVEA_HOME=" + path("home"), "FOVEA_OFFLINE=1"}};
  const Words command{"compile", "googlenet", "--dry-run", "--buckets", "1", "--backend", "cpu"};
  Words named = command;
  named.insert(named.end(), {"--weights", "imagenet"});
  Words elsewhere{"compile", "googlenet", "--dry-run", "--backend", "tpu"};
  elsewhere.insert(elsewhere.end(), {"--weights", "imagenet"});

  EXPECT_EQ(test::run_program(command, offline).code, 0);
  const auto refused = test::run_program(named, offline);
  EXPECT_TRUE(refused.err.starts_with("fovea: weights/offline")) << refused.err;
  const auto first = test::run_program(elsewhere, offline);
  EXPECT_TRUE(first.err.starts_with("fovea: argument/invalid")) << first.err;
}

/// A build without CUDA says so of the target, and one with it says that there is no such target.
TEST_F(CliDryRun, LooksAtTheTargetBeforeTheModel) {
  const auto got = test::run_program(
      {"compile", "googlenet", "--weights", "imagenet", "--dry-run", "--target", "sm_1"},
      {.folder = folder_.path(), .environment = {"FOVEA_HOME=" + path("home"), "FOVEA_OFFLINE=1"}});

  EXPECT_EQ(got.code, 2);
  EXPECT_NE(got.err.find("sm_1"), std::string::npos) << got.err;
}

/// A plan file names its precision, which no device of this machine has to compute in.
TEST_F(CliDryRun, APlanFileForATargetNeedsNoDevice) {
  if (FOVEA_WITH_CUDA == 0) GTEST_SKIP() << "this build has no targets";
  const test::ProgramOptions options{
      .folder = folder_.path(),
      .environment = {"FOVEA_HOME=" + path("home"), "CUDA_VISIBLE_DEVICES=-1"}};
  const Words made{
      "compile", "lenet5", "--backend", "cpu", "--tuning", "off", "--output", "x.plan"};
  ASSERT_EQ(test::run_program(made, options).code, 0);

  const auto got =
      test::run_program({"compile", "x.plan", "--target", "sm_90", "--dry-run", "--json"}, options);

  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(nlohmann::json::parse(got.out).at("precision"), "fp32");
}

TEST_F(CliDryRun, SaysWhatATargetComputesIn) {
  if (FOVEA_WITH_CUDA == 0) GTEST_SKIP() << "this build has no targets";
  const auto refused = [&](const std::string& target, const std::string& precision) {
    const auto got = test::run_program(
        {"compile", "lenet5", "--dry-run", "--target", target, "--precision", precision});
    EXPECT_EQ(got.code, 2);
    return test::unwrapped(got.err);
  };

  const std::string tf32 = refused("sm_75", "tf32");
  EXPECT_NE(tf32.find("tf32 is not available on sm_75; use fp32 or fp16\n"), std::string::npos)
      << tf32;
  const std::string int8 = refused("sm_90", "int8");
  EXPECT_NE(int8.find("int8 is not available in this version; use fp32 or tf32 or fp16 or bf16\n"),
            std::string::npos)
      << int8;
}

TEST_F(CliDryRun, SaysWhichStepsItShows) {
  const auto many = run({"--buckets", "1,3"});
  const auto one = run({"--batch", "1"});

  EXPECT_NE(many.out.find("\nsteps of batch 3, the largest; --batch 1 shows those of 1\n"),
            std::string::npos)
      << many.out;
  EXPECT_NE(one.out.find("\nsteps of batch 1\n"), std::string::npos) << one.out;
}

TEST_F(CliDryRun, ExplainsAsACompilationDoes) {
  const auto explained = run({"--explain", "--json"});

  ASSERT_EQ(explained.code, 0) << explained.err;
  EXPECT_TRUE(nlohmann::json::parse(explained.out).contains("explanation"));
  EXPECT_NE(run({"--explain"}).out.find("fuse-softmax-top-k"), std::string::npos);
}

TEST_F(CliDryRun, SaysWhatDoesNotGoTogether) {
  EXPECT_EQ(run({"--output", "x.plan"}).code, 2);
  EXPECT_EQ(run({"--tuning", "fast"}).code, 2);
  EXPECT_EQ(run({"--tuning-seconds", "5"}).code, 2);
  const auto other = run({"--target", "sm_90"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("sm_90"), std::string::npos) << other.err;

  const auto target = test::run_program({"compile", "lenet5", "--output", "x", "--target", "sm_90"},
                                        {.folder = folder_.path()});
  EXPECT_EQ(target.code, 2);
  EXPECT_NE(target.err.find("--dry-run"), std::string::npos) << target.err;
  EXPECT_EQ(test::run_program({"compile", "lenet5"}, {.folder = folder_.path()}).code, 2);
}

}  // namespace
}  // namespace fovea
