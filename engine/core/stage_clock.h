// Dividing the time of a thread into stages.
#pragma once

#include <chrono>

namespace fovea {

/// Reads the clock once at every boundary between two stages.
class StageClock {
 public:
  /// Adds the seconds since the last boundary, at first since construction, to `stage_s`.
  void end_of(double& stage_s) {
    const auto now = std::chrono::steady_clock::now();
    stage_s += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace fovea
