#include "apps/fovea/latency.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace fovea::app {
namespace {

/// 1, 2, ... n.
std::vector<float> counted(int n) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

TEST(Percentile, IsTheNearestRank) {
  // The example of the definition: ranks of five values.
  const std::vector<float> five{15, 20, 35, 40, 50};
  EXPECT_EQ(percentile(five, 5), 15);
  EXPECT_EQ(percentile(five, 30), 20);
  EXPECT_EQ(percentile(five, 40), 20);
  EXPECT_EQ(percentile(five, 50), 35);
  EXPECT_EQ(percentile(five, 100), 50);
}

TEST(Percentile, IsExactWhereTheRankIsWhole) {
  for (int percent = 1; percent <= 100; ++percent) {
    EXPECT_EQ(percentile(counted(100), percent), percent);
    EXPECT_EQ(percentile(counted(1000), percent), 10 * percent);
  }
}

TEST(Percentile, OfFewSamplesIsOneOfThem) {
  for (const double percent : {0.01, 50.0, 99.0, 100.0}) EXPECT_EQ(percentile({7}, percent), 7);
  EXPECT_EQ(percentile({1, 2}, 50), 1);
  EXPECT_EQ(percentile({1, 2}, 51), 2);
}

TEST(Percentile, NinetyNinthIsTheMaximumUpToAHundredSamples) {
  const auto fewest = static_cast<int>(kSamplesForP99);
  EXPECT_EQ(percentile(counted(fewest - 2), 99), fewest - 2);
  EXPECT_LT(percentile(counted(fewest), 99), fewest);
}

TEST(Percentile, AsManySamplesAsItSaysAreNotAboveIt) {
  std::mt19937 random(3);
  std::lognormal_distribution<float> distribution(1.0F, 0.7F);
  for (const int n : {3, 10, 99, 101, 997}) {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float& value : values) value = distribution(random);
    std::sort(values.begin(), values.end());
    for (const double percent : {1.0, 50.0, 90.0, 95.0, 99.0}) {
      const double value = percentile(values, percent);
      const auto not_above = std::ranges::count_if(values, [&](float v) { return v <= value; });
      const auto below = std::ranges::count_if(values, [&](float v) { return v < value; });
      EXPECT_GE(100.0 * static_cast<double>(not_above), percent * n);
      EXPECT_LT(100.0 * static_cast<double>(below), percent * n);
    }
  }
}

TEST(LatencySummary, IsOfAllSamplesInAnyOrder) {
  std::vector<float> samples = counted(200);
  std::shuffle(samples.begin(), samples.end(), std::mt19937(5));

  const LatencySummary summary = summarize(samples);

  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.mean, 100.5);
  EXPECT_EQ(summary.median, 100);
  EXPECT_EQ(summary.p90, 180);
  EXPECT_EQ(summary.p95, 190);
  EXPECT_EQ(summary.p99, 198);
  EXPECT_EQ(summary.max, 200);
}

TEST(LatencySummary, OfNothingIsZero) {
  EXPECT_EQ(summarize({}).max, 0);
  EXPECT_EQ(summarize({}).mean, 0);
}

}  // namespace
}  // namespace fovea::app
