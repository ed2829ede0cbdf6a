#include "engine/plan/memory_planner.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace fovea {
namespace {

bool live_together(const BufferLifetime& a, const BufferLifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

std::vector<BufferLifetime> random_buffers(unsigned seed) {
  std::mt19937 rng(seed);
  const auto pick = [&](std::size_t most) { return static_cast<std::size_t>(rng()) % most; };
  std::vector<BufferLifetime> buffers(1 + pick(60));
  for (BufferLifetime& buffer : buffers) {
    buffer.first = pick(40);
    buffer.last = buffer.first + pick(12);
    buffer.bytes = pick(10) == 0 ? 0 : 1 + pick(5000);
  }
  return buffers;
}

std::size_t aligned(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::size_t sum_of(const std::vector<BufferLifetime>& buffers, std::size_t alignment) {
  std::size_t sum = 0;
  for (const BufferLifetime& buffer : buffers) sum += aligned(buffer.bytes, alignment);
  return sum;
}

/// By the definition: step by step.
std::size_t largest_live_set(const std::vector<BufferLifetime>& buffers, std::size_t alignment) {
  std::size_t largest = 0;
  for (std::size_t step = 0; step < 64; ++step) {
    std::size_t live = 0;
    for (const BufferLifetime& buffer : buffers) {
      if (buffer.first <= step && step <= buffer.last) live += aligned(buffer.bytes, alignment);
    }
    largest = std::max(largest, live);
  }
  return largest;
}

TEST(PlanArena, NoTwoLiveBuffersOverlap) {
  constexpr std::size_t kAlignment = 64;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const std::vector<BufferLifetime> buffers = random_buffers(seed);

    const ArenaPlan plan = plan_arena(buffers, kAlignment);

    ASSERT_EQ(plan.offsets.size(), buffers.size());
    ASSERT_GE(plan.bytes, plan.lower_bound) << "seed " << seed;
    ASSERT_LE(plan.bytes, sum_of(buffers, kAlignment)) << "seed " << seed;
    ASSERT_EQ(plan.lower_bound, largest_live_set(buffers, kAlignment)) << "seed " << seed;
    for (std::size_t a = 0; a < buffers.size(); ++a) {
      ASSERT_EQ(plan.offsets[a] % kAlignment, 0U);
      ASSERT_LE(plan.offsets[a] + buffers[a].bytes, plan.bytes);
      for (std::size_t b = a + 1; b < buffers.size(); ++b) {
        if (!live_together(buffers[a], buffers[b])) continue;
        const bool apart = plan.offsets[a] + buffers[a].bytes <= plan.offsets[b] ||
                           plan.offsets[b] + buffers[b].bytes <= plan.offsets[a] ||
                           buffers[a].bytes == 0 || buffers[b].bytes == 0;
        ASSERT_TRUE(apart) << "seed " << seed << ": buffers " << a << " and " << b;
      }
    }
  }
}

TEST(PlanArena, ReusesMemoryOfAChain) {
  // Each buffer lives from its step to the next: two are live at any time.
  std::vector<BufferLifetime> chain;
  for (std::size_t step = 0; step < 10; ++step) chain.push_back({1024, step, step + 1});

  const ArenaPlan plan = plan_arena(chain, 256);

  EXPECT_EQ(plan.lower_bound, 2048U);
  EXPECT_EQ(plan.bytes, 2048U);
}

TEST(PlanArena, IsCloseToTheBoundForRandomLifetimes) {
  double ratios = 0;
  constexpr unsigned kSeeds = 1000;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const ArenaPlan plan = plan_arena(random_buffers(seed), 64);
    ratios += plan.lower_bound == 0
                  ? 1.0
                  : static_cast<double>(plan.bytes) / static_cast<double>(plan.lower_bound);
  }

  // 1.035 where the largest are placed first and that is all, 1.020 with the other orders, 1.0034
  // with the search.
  EXPECT_LE(ratios / kSeeds, 1.005);
}

TEST(PlanArena, NothingNeedsNothing) {
  EXPECT_EQ(plan_arena({}, 256).bytes, 0U);
}

}  // namespace
}  // namespace fovea
