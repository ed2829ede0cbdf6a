// How the work of a convolution is shared among threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/require.h"

namespace fovea::cpu {

/// Every product of tile and filter parts that is `threads`, and 1 x 1; the cheapest first.
///
/// make      gives the schedule for so many tile and filter parts
/// estimate  gives the cost of a schedule
template <typename Schedule, typename Make, typename Estimate>
[[nodiscard]] std::vector<Schedule> splits_of(int threads, Make make, Estimate estimate) {
  std::vector<std::pair<std::int64_t, Schedule>> found;
  const auto add = [&](int tile_parts, int filter_parts) {
    const Schedule schedule = make(tile_parts, filter_parts);
    found.emplace_back(estimate(schedule), schedule);
  };
  for (int filter_parts = 1; filter_parts <= threads; ++filter_parts) {
    if (threads % filter_parts == 0) add(threads / filter_parts, filter_parts);
  }
  if (threads > 1) add(1, 1);
  std::stable_sort(
      found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Schedule> schedules;
  schedules.reserve(found.size());
  for (const auto& [cost, schedule] : found) schedules.push_back(schedule);
  return schedules;
}

/// The tactic's name with its split, "winograd:4x4/2x1"; as it is on one thread.
template <typename Schedule>
[[nodiscard]] std::string with_split(const std::string& name,
                                     const Schedule& schedule,
                                     int threads) {
  if (threads == 1) return name;
  return cat(name, '/', schedule.tile_parts, 'x', schedule.filter_parts);
}

}  // namespace fovea::cpu
