#include "engine/plan/memory_planner.h"

#include <algorithm>
#include <numeric>

namespace fovea {

namespace {

std::size_t align_up(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

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

}  // namespace

ArenaPlan plan_arena(std::span<const BufferLifetime> buffers, std::size_t alignment) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes > buffers[b].bytes;
  });

  ArenaPlan plan;
  plan.offsets.resize(buffers.size());
  plan.lower_bound = largest_live_set(buffers, alignment);
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

}  // namespace fovea
