// What a list of latencies says.
#pragma once

#include <cstddef>
#include <vector>

namespace fovea::app {

/// The nearest-rank percentile: the smallest sample that at least `percent` % of all samples do not
/// exceed, so always one that was measured. Median means the 50th.
///
/// sorted    ascending, not empty
/// percent   above 0, at most 100
[[nodiscard]] double percentile(const std::vector<float>& sorted, double percent);

/// Samples from which the 99th percentile is another one than the maximum.
inline constexpr std::size_t kSamplesForP99 = 101;

/// Milliseconds; all zero where there is no sample.
struct LatencySummary {
  double min = 0;
  double mean = 0;
  double median = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double max = 0;
};

[[nodiscard]] LatencySummary summarize(std::vector<float> samples_ms);

}  // namespace fovea::app
