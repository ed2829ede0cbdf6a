// What a run of the self-test must have done to count as one that held.
#include "tests/gpu/report.h"

#include <gtest/gtest.h>

namespace fovea::selftest {
namespace {

CaseResult test_row(CaseStatus status) {
  CaseResult row;
  row.status = status;
  return row;
}

NetworkResult network_row(bool ok) {
  NetworkResult row;
  row.ok = ok;
  return row;
}

BenchResult bench_row(std::string error) {
  BenchResult row;
  row.error = std::move(error);
  return row;
}

LogitsError with_cosine(double cosine) {
  LogitsError error;
  error.cosine = cosine;
  return error;
}

TEST(SelfTestReport, HoldsWhereNothingFailed) {
  Report report;
  report.kernels.push_back(test_row(CaseStatus::kSkipped));
  report.networks.push_back(network_row(true));
  report.bench.push_back(bench_row(""));

  EXPECT_TRUE(report.ok());
  EXPECT_NE(to_json(report).find("\"ok\": true"), std::string::npos);
}

TEST(SelfTestReport, FailsWithAnyOfItsParts) {
  Report kernels;
  kernels.kernels.push_back(test_row(CaseStatus::kFailed));
  Report tactics;
  tactics.tactics.push_back(test_row(CaseStatus::kFailed));
  Report networks;
  networks.networks.push_back(network_row(false));
  Report bench;
  bench.bench.push_back(bench_row("moved"));

  for (const Report& report : {kernels, tactics, networks, bench}) {
    EXPECT_FALSE(report.ok());
    EXPECT_NE(to_json(report).find("\"ok\": false"), std::string::npos);
  }
}

TEST(SelfTestReport, FailsWhereChecksAreLeftOut) {
  for (const char* part : {"kernels", "tactics", "networks", "tuner"}) {
    Report report;
    report.left_out.push_back({"bench", "vgg16 fp16 8", "no time"});
    report.left_out.push_back({part, "lenet5 fp16", "no time"});

    EXPECT_FALSE(report.ok()) << part;
  }
}

TEST(SelfTestReport, OnlyTellsWhereTimesAreLeftOut) {
  Report report;
  report.left_out.push_back({"bench", "vgg16 fp16 8", "no time"});

  EXPECT_TRUE(report.ok());
  const std::string json = to_json(report);
  EXPECT_NE(json.find("\"left_out\": ["), std::string::npos);
  EXPECT_NE(json.find("\"vgg16 fp16 8\""), std::string::npos);
}

TEST(SelfTestReport, HasFiguresOfLogitsWhereThereAreSome) {
  Report report;
  report.networks.push_back(network_row(false));
  report.bench.push_back(bench_row("no device"));
  EXPECT_EQ(to_json(report).find("cosine"), std::string::npos);

  report.bench[0].logits = with_cosine(0.25);
  EXPECT_NE(to_json(report).find("\"cosine\": 0.25"), std::string::npos);

  report.networks[0].logits = with_cosine(0.125);
  EXPECT_NE(to_json(report).find("\"cosine\": 0.125"), std::string::npos);
}

}  // namespace
}  // namespace fovea::selftest
