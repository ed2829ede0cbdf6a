// How many CPU threads the process may use.
#include <algorithm>
#include <fstream>
#include <thread>

#include <sched.h>

#include <fovea/options.h>

#include "engine/core/most_threads.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

int affinity_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  return std::max(1, CPU_COUNT(&set));
}

/// The control group's CPU quota in whole CPUs, rounded up; 0 where there is none.
/// Source: the kernel's admin-guide/cgroup-v2, "cpu.max", and cgroup-v1's cpu.cfs_quota_us.
int quota_threads() {
  double quota = 0;
  double period = 0;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file >> quota >> period && period > 0) {
    return static_cast<int>((quota + period - 1) / period);
  }
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (v1_quota >> quota && v1_period >> period && quota > 0 && period > 0) {
    return static_cast<int>((quota + period - 1) / period);
  }
  return 0;
}

}  // namespace

int available_threads() {
  const int quota = quota_threads();
  return quota > 0 ? std::min(quota, affinity_threads()) : affinity_threads();
}

int checked_threads(int wanted) {
  if (wanted < 0 || wanted > kMostThreads) {
    throw InvalidArgument(cat("the number of threads is 0 (all that the process may use) to ",
                              kMostThreads,
                              ", not ",
                              wanted));
  }
  return wanted == 0 ? available_threads() : wanted;
}

}  // namespace fovea
