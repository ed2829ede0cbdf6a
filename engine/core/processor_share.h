// How much of the processors this process has had, for measurements that others could disturb.
#pragma once

#include <chrono>
#include <ctime>

namespace fovea {

/// Begins with its construction. Not thread-safe.
class ProcessorShare {
 public:
  /// While this process computes it has at least a whole processor. Where it had less than that, or
  /// threads of a team had to wait for one, times say nothing of what was measured. Of a short
  /// measurement it cannot be told, and is not: a single time slice of somebody else's would
  /// decide.
  [[nodiscard]] bool is_too_little() const {
    constexpr double kLeastShare = 0.75;
    constexpr double kShareSeconds = 0.05;
    const double wall = std::chrono::duration<double>(Clock::now() - start_).count();
    return wall > kShareSeconds && processor_seconds() - used_ < kLeastShare * wall;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static double processor_seconds() {
    std::timespec time{};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  Clock::time_point start_ = Clock::now();
  double used_ = processor_seconds();
};

}  // namespace fovea
