#include "engine/plan/memory_planner.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "engine/core/align.h"

namespace fovea {

namespace {

bool live_together(const BufferLifetime& a, const BufferLifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

std::size_t largest_live_set(std::span<const BufferLifetime> buffers, std::size_t alignment) {
  std::size_t largest = 0;
  for (const BufferLifetime& at : buffers) {
    // The live set only grows where a buffer begins, so those steps are enough.
    std::size_t live = 0;
    for (const BufferLifetime& other : buffers) {
      if (other.first <= at.first && at.first <= other.last)
        live += align_up(other.bytes, alignment);
    }
    largest = std::max(largest, live);
  }
  return largest;
}

using Weight = double (*)(const BufferLifetime&);

double steps_of(const BufferLifetime& buffer) {
  return static_cast<double>(buffer.last - buffer.first + 1);
}

/// Buffers of greater weight are placed first.
constexpr std::array<Weight, 4> kOrders{
    [](const BufferLifetime& b) { return static_cast<double>(b.bytes); },
    [](const BufferLifetime& b) { return static_cast<double>(b.bytes) * steps_of(b); },
    [](const BufferLifetime& b) { return steps_of(b); },
    [](const BufferLifetime& b) { return -static_cast<double>(b.first); },
};

std::vector<std::size_t> in_order(std::span<const BufferLifetime> buffers, Weight weight) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, std::ranges::greater{}, [&](std::size_t i) { return weight(buffers[i]); });
  return order;
}

/// Every buffer at the lowest place that is free for all its life.
ArenaPlan place_first_fit(std::span<const BufferLifetime> buffers,
                          std::span<const std::size_t> order,
                          std::size_t alignment) {
  ArenaPlan plan;
  plan.offsets.resize(buffers.size());
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (!live_together(buffers[i], buffers[other])) continue;
      if (offset + buffers[i].bytes <= plan.offsets[other]) break;
      offset = std::max(offset, align_up(plan.offsets[other] + buffers[other].bytes, alignment));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, align_up(offset + buffers[i].bytes, alignment));
    const auto after = std::find_if(placed.begin(), placed.end(), [&](std::size_t other) {
      return plan.offsets[other] > offset;
    });
    placed.insert(after, i);
  }
  return plan;
}

/// The buffer that reaches highest; there is one.
std::size_t highest(const ArenaPlan& plan, std::span<const BufferLifetime> buffers) {
  std::size_t found = 0;
  for (std::size_t i = 1; i < buffers.size(); ++i) {
    if (plan.offsets[i] + buffers[i].bytes > plan.offsets[found] + buffers[found].bytes) found = i;
  }
  return found;
}

/// How often an order is changed: less often for so many buffers that each placement takes long.
std::size_t tries(std::size_t buffers) {
  constexpr std::size_t kMost = 16;
  constexpr std::size_t kPairs = 10'000'000;
  return std::min(kMost, kPairs / (buffers * buffers + 1));
}

}  // namespace

ArenaPlan plan_arena(std::span<const BufferLifetime> buffers, std::size_t alignment) {
  const std::size_t bound = largest_live_set(buffers, alignment);
  ArenaPlan best;
  for (const Weight weight : kOrders) {
    std::vector<std::size_t> order = in_order(buffers, weight);
    for (std::size_t i = 0; i <= tries(buffers.size()); ++i) {
      const ArenaPlan plan = place_first_fit(buffers, order, alignment);
      if (best.offsets.empty() || plan.bytes < best.bytes) best = plan;
      if (best.bytes == bound) break;
      const auto found = std::ranges::find(order, highest(plan, buffers));
      std::rotate(order.begin(), found, found + 1);
    }
    if (best.bytes == bound) break;
  }
  best.lower_bound = bound;
  return best;
}

}  // namespace fovea
