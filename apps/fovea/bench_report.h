// What a benchmark found, for people and for programs.
#pragma once

#include <cstdint>
#include <string>

#include <fovea/stage_times.h>

#include "apps/fovea/bench_target.h"
#include "apps/fovea/latency.h"

namespace fovea::app {

/// Everything that was asked for, measured and known.
struct BenchFindings {
  std::string model;
  std::string from;
  TargetOptions options;
  TargetFacts facts;
  std::int64_t multiply_adds = 0;  ///< of a picture
  std::int64_t images = 0;         ///< that were answered while it was measured
  std::size_t requests = 0;
  double duration_s = 0;  ///< from the first of their submissions to the last answer
  double warmup_s = 0;
  LatencySummary latency_ms;
  StageTimes stages;  ///< of the images
  double build_s = 0;
  double first_result_s = 0;
  std::size_t peak_host_bytes = 0;
};

/// The most that the machine could do, and what of it was reached: of processors from figures that
/// are measured here, of a device from its clocks. The multiply-adds are those of direct
/// convolution: a method that takes fewer (Winograd) may go beyond. A rate of 0 is not known.
struct BenchLimits {
  std::string bound_by;                 ///< "compute", "memory", "decode" or "preprocess"
  double images_per_s = 0;              ///< no direct computation gives more
  double share = 0;                     ///< of that, which was reached
  double peak_multiply_adds_per_s = 0;  ///< of the threads at work, in the network's precision
  double memory_bytes_per_s = 0;        ///< measured where caches cannot hold the weights
  double input_images_per_s = 0;        ///< decoding and resizing alone, as measured meanwhile
  double network_images_per_s = 0;      ///< everything else alone, as measured meanwhile
  double device_images_per_s = 0;       ///< of all devices, by PlanFloor
  double serial_images_per_s = 0;       ///< both, one after the other on the same threads
};

/// Measures for some tenths of a second.
[[nodiscard]] BenchLimits find_limits(const BenchFindings& findings);

/// In trtexec's words, where it has some.
[[nodiscard]] std::string bench_text(const BenchFindings& findings, const BenchLimits& limits);

/// One JSON object on a line.
[[nodiscard]] std::string bench_json(const BenchFindings& findings, const BenchLimits& limits);

}  // namespace fovea::app
