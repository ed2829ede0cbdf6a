#include "apps/fovea/latency.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fovea::app {

double percentile(const std::vector<float>& sorted, double percent) {
  // The product first: 0.99 * 100 is above 99, and would be one rank too high.
  const double rank = std::ceil(percent * static_cast<double>(sorted.size()) / 100.0);
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

LatencySummary summarize(std::vector<float> samples_ms) {
  if (samples_ms.empty()) return {};
  std::sort(samples_ms.begin(), samples_ms.end());
  const double sum = std::accumulate(samples_ms.begin(), samples_ms.end(), 0.0);
  return {.min = samples_ms.front(),
          .mean = sum / static_cast<double>(samples_ms.size()),
          .median = percentile(samples_ms, 50),
          .p90 = percentile(samples_ms, 90),
          .p95 = percentile(samples_ms, 95),
          .p99 = percentile(samples_ms, 99),
          .max = samples_ms.back()};
}

}  // namespace fovea::app
