#include "apps/fovea/machine_peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <unistd.h>

#include "apps/fovea/multiply_adds.h"

namespace fovea::app {

namespace {

constexpr int kRounds = 4;
constexpr std::size_t kBlockBytes = std::size_t{64} << 20U;
constexpr std::size_t kUnknownCacheBytes = std::size_t{32} << 20U;

/// The best rate of some rounds in which all threads begin together.
///
/// work   what one thread does; returns how much it did
double best_rate(int threads, const std::function<double(int thread)>& work) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> done(static_cast<std::size_t>(threads));
    std::latch ready(threads + 1);
    std::vector<std::jthread> team;
    for (int i = 0; i < threads; ++i) {
      team.emplace_back([&, i] {
        ready.arrive_and_wait();
        done[static_cast<std::size_t>(i)] = work(i);
      });
    }
    ready.arrive_and_wait();
    const auto start = std::chrono::steady_clock::now();
    team.clear();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, std::accumulate(done.begin(), done.end(), 0.0) / taken.count());
  }
  return best;
}

/// Their sum, so that nothing is left out.
std::uint64_t sum_of(const std::uint64_t* values, std::size_t count) {
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i + 8 <= count; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += values[i + j];
  }
  return std::accumulate(std::begin(sums), std::end(sums), std::uint64_t{0});
}

}  // namespace

double measure_multiply_adds(int threads) {
  constexpr std::int64_t kRepeats = 4'000'000;  // some 10 ms
  return best_rate(threads, [&](int) { return run_multiply_adds(kRepeats); });
}

double measure_memory_bytes(int threads) {
  constexpr std::size_t kValues = kBlockBytes / sizeof(std::uint64_t);
  const std::vector<std::uint64_t> memory(kValues * static_cast<std::size_t>(threads), 1);
  return best_rate(threads, [&](int thread) {
    const std::uint64_t sum =
        sum_of(memory.data() + kValues * static_cast<std::size_t>(thread), kValues);
    return sum == kValues ? static_cast<double>(kBlockBytes) : 0.0;
  });
}

std::size_t largest_cache_bytes() {
  const long bytes = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : kUnknownCacheBytes;
}

}  // namespace fovea::app
