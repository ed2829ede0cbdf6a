// fovea verify.
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::run_program;

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

TEST(CliVerify, RefusesWrongNumbers) {
  for (const char* batch : {"0", "-1", "1025"}) {
    const auto got = run_program({"verify", "lenet5", "--batch", batch});

    EXPECT_EQ(got.code, 2) << batch;
    EXPECT_NE(got.err.find("1 to 1024"), std::string::npos) << got.err;
  }
}

}  // namespace
}  // namespace fovea
