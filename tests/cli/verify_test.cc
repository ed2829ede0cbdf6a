// fovea verify.
#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::run_program;

class CliDump : public test::CliTest {};

TEST(CliVerify, PrintsEveryStepAndTheOutputs) {
  const auto got = run_program({"verify", "lenet5", "--backend", "cpu", "--batch", "3"});

  EXPECT_EQ(got.code, 0) << got.err;
  for (const char* part :
       {"Conv2d", "c1", "Outputs", "lenet5 on cpu (fp32)", "Top-1 agreement: 100 %"}) {
    EXPECT_NE(got.out.find(part), std::string::npos) << part << " in\n" << got.out;
  }
  EXPECT_LE(test::widest_line(got.out), 80U) << got.out;
}

TEST(CliVerify, AToleranceThatNothingMeetsNamesTheFirstStep) {
  const auto got =
      run_program({"verify", "lenet5", "--backend", "cpu", "--tolerance", "1e-12", "--json"});

  EXPECT_EQ(got.code, 1) << got.err;
  const auto rows = test::rows_of(got.out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("model"), "lenet5");
  EXPECT_EQ(rows[0].at("backend"), "cpu");
  EXPECT_EQ(rows[0].at("precision"), "fp32");
  EXPECT_EQ(rows[0].at("ok"), false);
  EXPECT_EQ(rows[0].at("first_failed"), "c1");
  EXPECT_EQ(rows[0].at("top1_agreement"), 1.0);
  for (const auto& layer : rows[0].at("layers")) {
    EXPECT_LT(layer.at("max_rel"), 1e-5) << layer.dump();
    EXPECT_GE(layer.at("max_abs"), 0) << layer.dump();
    EXPECT_GT(layer.at("cosine"), 0.999999) << layer.dump();
  }
}

TEST(CliVerify, FindsNoPassThatChangesTheOutputs) {
  const auto got = run_program({"verify", "lenet5", "--backend", "cpu", "--bisect-passes"});

  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.out.find("No pass changes the outputs"), std::string::npos) << got.out;
}

TEST_F(CliDump, WritesTheGraphAfterEveryPassAndThePlan) {
  const test::ProgramOptions options{.environment = {"FOVEA_DUMP_DIR=" + path("dump")}};

  const auto first = run_program({"verify", "lenet5", "--backend", "cpu"}, options);
  const auto second = run_program({"verify", "lenet5", "--backend", "cpu"}, options);

  EXPECT_EQ(first.code + second.code, 0) << first.err << second.err;
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path("dump/1"))) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_GE(names.size(), 4U);
  EXPECT_EQ(*names.begin(), "00-described.dot");
  EXPECT_TRUE(names.contains("about.txt"));
  EXPECT_TRUE(names.contains("plan.txt"));
  const auto has = [&](const std::string& pass) {
    return std::ranges::any_of(names,
                               [&](const auto& name) { return name.ends_with(pass + ".dot"); });
  };
  EXPECT_TRUE(has("-fold-constants"));
  EXPECT_TRUE(has("-fuse-activation"));
  EXPECT_NE(read_text_file(path("dump/1/plan.txt")).find("c1"), std::string::npos);
  EXPECT_EQ(read_text_file(path("dump/1/00-described.dot")),
            read_text_file(path("dump/2/00-described.dot")));
}

TEST_F(CliDump, SaysWhatEachFolderOfOneCommandIs) {
  const test::ProgramOptions options{
      .environment = {"FOVEA_DUMP_DIR=" + path("dump"), "FOVEA_DISABLE_PASSES=fuse-activation"}};

  const auto got = run_program({"compile",
                                "lenet5",
                                "--output",
                                path("x.plan"),
                                "--backend",
                                "cpu",
                                "--tuning",
                                "off",
                                "--threads",
                                "2"},
                               options);

  EXPECT_EQ(got.code, 0) << got.err;
  for (const auto& [folder, threads] : {std::pair("dump/1", "2"), std::pair("dump/2", "1")}) {
    const std::string about = read_text_file(path(std::string(folder) + "/about.txt"));
    EXPECT_NE(about.find(std::string("threads of a run: ") + threads + "\n"), std::string::npos)
        << about;
    EXPECT_NE(about.find("passes left out:  fuse-activation\n"), std::string::npos) << about;
    EXPECT_NE(about.find("backend:          cpu; "), std::string::npos) << about;
  }
}

TEST_F(CliDump, PutsThePlanIntoColumns) {
  const test::ProgramOptions options{.environment = {"FOVEA_DUMP_DIR=" + path("dump")}};

  const auto got = run_program({"verify", "lenet5", "--backend", "cpu"}, options);

  EXPECT_EQ(got.code, 0) << got.err;
  const std::string plan = read_text_file(path("dump/1/plan.txt"));
  EXPECT_EQ(plan.find('\t'), std::string::npos) << plan;
  std::set<std::size_t> columns;  // where offsets, the last column, begin
  std::istringstream lines(plan);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ")) columns.insert(line.rfind('@'));
  }
  EXPECT_EQ(columns.size(), 1U) << plan;
}

TEST_F(CliDump, SaysWhereItCannotWrite) {
  write_file_atomic(path("file"), std::string_view("in the way"));

  const auto got =
      run_program({"verify", "lenet5"}, {.environment = {"FOVEA_DUMP_DIR=" + path("file")}});

  EXPECT_EQ(got.code, 5);
  EXPECT_TRUE(got.err.starts_with("fovea: io/write: FOVEA_DUMP_DIR")) << got.err;
}

TEST(CliVerify, RefusesWrongNumbers) {
  for (const char* batch : {"0", "-1", "1025"}) {
    const auto got = run_program({"verify", "lenet5", "--batch", batch});

    EXPECT_EQ(got.code, 2) << batch;
    EXPECT_NE(got.err.find("1 to 1024"), std::string::npos) << got.err;
  }
}

}  // namespace
}  // namespace fovea
