#include "apps/fovea/machine_peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <latch>
#include <numeric>
#include <thread>
#include <vector>

#include "apps/fovea/multiply_adds.h"

namespace fovea::app {

namespace {

constexpr int kRounds = 10;
constexpr std::size_t kUnknownCacheBytes = std::size_t{32} << 20U;

/// What one thread did, by its own clock.
struct Share {
  double done = 0;
  std::chrono::steady_clock::time_point begin;
  std::chrono::steady_clock::time_point end;
};

/// The best rate of some rounds in which all threads begin together; from when the first one began
/// to when the last one was done, so that threads that had to wait for a core are not flattered.
///
/// work   what one thread does; returns how much it did
double best_rate(int threads, const std::function<double(int thread)>& work) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Share> shares(static_cast<std::size_t>(threads));
    std::latch ready(threads);
    std::vector<std::jthread> team;
    team.reserve(shares.size());
    for (int i = 0; i < threads; ++i) {
      team.emplace_back([&, i] {
        Share& share = shares[static_cast<std::size_t>(i)];
        ready.arrive_and_wait();
        share.begin = std::chrono::steady_clock::now();
        share.done = work(i);
        share.end = std::chrono::steady_clock::now();
      });
    }
    team.clear();
    Share all = shares.front();
    for (std::size_t i = 1; i < shares.size(); ++i) {
      all.done += shares[i].done;
      all.begin = std::min(all.begin, shares[i].begin);
      all.end = std::max(all.end, shares[i].end);
    }
    const std::chrono::duration<double> taken = all.end - all.begin;
    best = std::max(best, all.done / taken.count());
  }
  return best;
}

/// What one thread reads: more than its share of the caches, and not so much that many threads need
/// memory which the network itself does not.
std::size_t block_bytes(int threads) {
  constexpr std::size_t kMost = std::size_t{64} << 20U;
  constexpr std::size_t kLeast = std::size_t{8} << 20U;
  constexpr std::size_t kAll = std::size_t{1} << 30U;
  return std::clamp(kAll / static_cast<std::size_t>(threads), kLeast, kMost);
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

double measure_multiply_adds(int threads, Precision precision) {
  constexpr std::int64_t kRepeats = 4'000'000;  // some 10 ms
  if (precision != Precision::kFp32 && precision != Precision::kBf16) return 0;
  const auto run = precision == Precision::kBf16 ? run_bf16_multiply_adds : run_multiply_adds;
  return best_rate(threads, [&](int) { return run(kRepeats); });
}

double measure_memory_bytes(int threads) {
  const std::size_t values = block_bytes(threads) / 64 * 64 / sizeof(std::uint64_t);
  const std::vector<std::uint64_t> memory(values * static_cast<std::size_t>(threads), 1);
  return best_rate(threads, [&](int thread) {
    const std::uint64_t sum =
        sum_of(memory.data() + values * static_cast<std::size_t>(thread), values);
    return sum == values ? static_cast<double>(values * sizeof(std::uint64_t)) : 0.0;
  });
}

std::size_t largest_cache_bytes() {
  // "32768K"; sysconf() gives a multiple of it on some virtual machines.
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index3/size");
  std::size_t kibibytes = 0;
  return file >> kibibytes && kibibytes > 0 ? kibibytes * 1024 : kUnknownCacheBytes;
}

}  // namespace fovea::app
