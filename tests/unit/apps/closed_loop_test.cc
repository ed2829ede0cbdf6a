#include "apps/fovea/closed_loop.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace fovea::app {
namespace {

using namespace std::chrono_literals;

/// Seconds that an answer takes.
constexpr auto kWork = 2ms;

/// So many threads answer until there is nothing more; returns how many worked at a time at most.
int answer_all(ClosedLoop& loop, int threads) {
  std::atomic<int> at_work = 0;
  std::atomic<int> most = 0;
  std::vector<std::jthread> team;
  for (int i = 0; i < threads; ++i) {
    team.emplace_back([&] {
      while (const auto request = loop.take()) {
        const int now = ++at_work;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(kWork);
        --at_work;
        loop.answer(*request);
      }
    });
  }
  team.clear();
  return most;
}

TEST(ClosedLoop, LetsEveryClientSubmitOnceWhateverTheTime) {
  for (const std::size_t clients : {1U, 2U, 7U}) {
    ClosedLoop loop(clients, 0s);

    (void)answer_all(loop, 2);

    EXPECT_EQ(loop.latencies_ms().size(), clients);
  }
}

TEST(ClosedLoop, HasNoMoreRequestsAtWorkThanClients) {
  ClosedLoop loop(/*clients=*/2, 50ms);

  EXPECT_LE(answer_all(loop, /*threads=*/5), 2);

  EXPECT_GT(loop.latencies_ms().size(), 2U);
}

TEST(ClosedLoop, CountsTheTimeInTheQueueAsLatency) {
  // One thread for four clients: an answer comes after three others.
  ClosedLoop loop(/*clients=*/4, 60ms);

  (void)answer_all(loop, /*threads=*/1);

  const auto& latencies = loop.latencies_ms();
  ASSERT_GE(latencies.size(), 4U);
  EXPECT_GE(latencies[0], 2.0F);
  for (std::size_t i = 3; i < latencies.size(); ++i) EXPECT_GE(latencies[i], 4 * 2.0F);
}

TEST(ClosedLoop, EndsWhenTheTimeIsUp) {
  ClosedLoop loop(/*clients=*/2, 60ms);

  (void)answer_all(loop, 2);

  EXPECT_GE(loop.seconds(), 0.050);
  // Sleeping takes longer than asked for on a busy machine, not for ever.
  EXPECT_LT(loop.seconds(), 30.0);
  EXPECT_FALSE(loop.take());
}

TEST(ClosedLoop, EndsAtOnceWhenItIsStopped) {
  ClosedLoop loop(/*clients=*/1, 3600s);
  const auto request = loop.take();
  ASSERT_TRUE(request);
  std::jthread waiting([&] { EXPECT_FALSE(loop.take()); });

  loop.stop();
  waiting.join();

  EXPECT_TRUE(loop.latencies_ms().empty());
  EXPECT_EQ(loop.seconds(), 0.0);
}

}  // namespace
}  // namespace fovea::app
