// What compile, inspect and users of a plan file are told.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::ProgramResult;
using Words = std::vector<std::string>;

class CliPlanNotes : public test::CliTest {
 protected:
  [[nodiscard]] ProgramResult run(const Words& arguments, Words environment = {}) const {
    environment.push_back("FOVEA_HOME=" + path("home"));
    return test::run_program(arguments, {.folder = folder_.path(), .environment = environment});
  }

  /// LeNet-5 into x.plan, without a measurement.
  [[nodiscard]] ProgramResult compile(const Words& more, const Words& environment = {}) const {
    Words arguments{"compile", "lenet5", "--output", "x.plan", "--tuning", "off"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, environment);
  }

  [[nodiscard]] std::string notes_of_use(const Words& environment = {}) const {
    const auto got = run({"classify", "x.plan", test::digit(3)}, environment);
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_LE(test::widest_line(got.err), 80U) << got.err;
    return test::unwrapped(got.err);
  }

  /// The command fails with that code and tells of all of the words.
  void expect_error(const ProgramResult& got, int code, const Words& words) const {
    EXPECT_EQ(got.code, code);
    for (const std::string& word : words) {
      EXPECT_NE(test::unwrapped(got.err).find(word), std::string::npos) << word << got.err;
    }
  }
};

TEST_F(CliPlanNotes, PassesThatWereLeftOutAreKeptExplainedAndTold) {
  const Words without{"FOVEA_DISABLE_PASSES=fuse-activation,drop-dead-nodes"};
  const auto made = compile({"--explain"}, without);
  ASSERT_EQ(made.code, 0) << made.err;

  EXPECT_NE(made.out.find("\nfuse-activation         no   left out"), std::string::npos)
      << made.out;
  const std::string shown = test::unwrapped(run({"inspect", "x.plan"}).out);
  EXPECT_NE(shown.find("disabled_passes drop-dead-nodes,fuse-activation"), std::string::npos)
      << shown;
  EXPECT_NE(notes_of_use().find("x.plan was compiled with all passes but "
                                "drop-dead-nodes,fuse-activation and is used with all passes"),
            std::string::npos);
  EXPECT_EQ(notes_of_use({"FOVEA_DISABLE_PASSES=drop-dead-nodes,fuse-activation"}), "");
  EXPECT_EQ(run({"compile", "x.plan", "--output", "y.plan", "--tuning", "off"}).err, "");
}

TEST_F(CliPlanNotes, APrecisionThatThereIsNotHereIsTold) {
  if (compile({"--precision", "bf16"}).code != 0) GTEST_SKIP() << "this processor has no bf16";

  const std::string notes = notes_of_use({"ONEDNN_MAX_CPU_ISA=AVX2"});

  EXPECT_NE(notes.find("x.plan was compiled in bf16, which cpu does not compute in here"),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find("fovea compile x.plan --output FILE"), std::string::npos) << notes;
}

TEST_F(CliPlanNotes, LocksThatMeanNothingAreTold) {
  write_file_atomic(path("batch.json"), std::string_view(R"({"tactics": {"c1": {"7": "x"}}})"));
  write_file_atomic(path("key.json"), std::string_view(R"({"tactics": {}, "tactic": {}})"));

  const auto batch = compile({"--lock", "batch.json"});
  EXPECT_EQ(batch.code, 0);
  EXPECT_NE(test::unwrapped(batch.err).find("note: the lock of node 'c1' is not for a batch size"),
            std::string::npos)
      << batch.err;
  expect_error(compile({"--lock", "key.json"}), 2, {"key.json has a key 'tactic'"});
}

TEST_F(CliPlanNotes, SecondsForTuningThatIsOffAreRefused) {
  expect_error(compile({"--tuning-seconds", "0.5"}), 2, {"--tuning", "0.5"});
  expect_error(
      run({"compile", "lenet5", "--output", "x.plan", "--tuning-seconds", "-3"}), 2, {"not -3"});
}

TEST_F(CliPlanNotes, AFileThatCannotBeWrittenSaysWhy) {
  expect_error(run({"compile", "lenet5", "--output", "absent/x.plan"}),
               5,
               {"io/write: cannot write absent/x.plan: there is no folder absent"});
  expect_error(run({"compile", "lenet5", "--output", ""}), 2, {"--output has an empty value"});
}

TEST_F(CliPlanNotes, WhatIsNoPlanIsNotCalledAModel) {
  write_file_atomic(path("garbage"), std::string_view("garbage"));
  write_file_atomic(path("model.onnx"), std::string_view("garbage"));

  const auto got = run({"inspect", "garbage"});

  expect_error(got, 3, {"garbage is neither a plan file nor a model package"});
  EXPECT_EQ(test::unwrapped(got.err).find("makes the one of it"), std::string::npos) << got.err;
  expect_error(run({"inspect", "model.onnx"}), 3, {"fovea compile makes the one of it"});
}

}  // namespace
}  // namespace fovea
