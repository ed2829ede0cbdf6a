// The limit of a device beside the host: of its clocks, and not of the processor.
#include <string>

#include <gtest/gtest.h>

#include "apps/fovea/bench_report.h"

namespace fovea::app {
namespace {

/// 2 devices that need 500 us for a batch of 8: 32,000 images a second.
BenchFindings findings() {
  BenchFindings findings;
  findings.model = "network";
  findings.from = "jpeg";
  findings.options.batch = 8;
  findings.options.threads = 4;
  findings.options.concurrency = 16;
  findings.facts = {.backend = "cuda",
                    .on_host = false,
                    .devices = 2,
                    .workers = 6,
                    .floor = PlanFloor{.device = "Tester", .us = 500, .bound_by_bytes = false}};
  findings.multiply_adds = 1'000;
  findings.images = 8'000;
  findings.duration_s = 1;
  findings.stages.pictures = 8'000;
  return findings;
}

TEST(LimitsOfADevice, AreItsFloorWhereDecodingIsFast) {
  BenchFindings found = findings();
  found.stages.decode_s = 0.5;
  found.stages.preprocess_s = 0.1;

  const BenchLimits limits = find_limits(found);

  EXPECT_DOUBLE_EQ(limits.device_images_per_s, 32'000);
  EXPECT_DOUBLE_EQ(limits.images_per_s, 32'000);
  EXPECT_DOUBLE_EQ(limits.share, 0.25);
  EXPECT_EQ(limits.bound_by, "compute");
  EXPECT_EQ(limits.peak_multiply_adds_per_s, 0) << "the processor's";
  found.facts.floor->bound_by_bytes = true;
  EXPECT_EQ(find_limits(found).bound_by, "memory");
}

TEST(LimitsOfADevice, AreTheThreadsThatDecodeWhereTheyAreSlower) {
  BenchFindings found = findings();
  found.stages.decode_s = 2.0;
  found.stages.preprocess_s = 0.5;

  const BenchLimits limits = find_limits(found);

  // 8,000 pictures in 2.5 seconds of a thread, on four threads.
  EXPECT_DOUBLE_EQ(limits.images_per_s, 12'800);
  EXPECT_EQ(limits.bound_by, "decode");
  EXPECT_DOUBLE_EQ(limits.device_images_per_s, 32'000);
}

TEST(LimitsOfADevice, AreNotThoseOfTheProcessor) {
  BenchFindings found = findings();
  found.facts.floor.reset();

  const BenchLimits limits = find_limits(found);

  EXPECT_EQ(limits.images_per_s, 0);
  EXPECT_NE(bench_text(found, limits).find("Limit: not known for this device"), std::string::npos);
}

TEST(LimitsOfADevice, AreReportedWithItsName) {
  const BenchFindings found = findings();
  const BenchLimits limits = find_limits(found);

  const std::string text = bench_text(found, limits);
  const std::string json = bench_json(found, limits);

  EXPECT_NE(text.find("Limit: 32000 images/s, bound by compute; 25.0 % of it reached"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("2 x Tester: 32000 images/s"), std::string::npos) << text;
  EXPECT_NE(json.find(R"("device":"Tester","devices":2)"), std::string::npos) << json;
}

}  // namespace
}  // namespace fovea::app
