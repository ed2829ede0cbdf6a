// The computed limit of a benchmark's figure.
#include <algorithm>

#include "apps/fovea/bench_report.h"
#include "apps/fovea/machine_peak.h"

namespace fovea::app {

namespace {

/// The bound of one resource.
struct Bound {
  const char* by = "";
  double images_per_s = 0;
};

/// The rates of the input path and of the rest, each as if it had the threads for itself.
void split_stages(const StageTimes& stages, double runs_at_once, BenchLimits& limits) {
  const double images = static_cast<double>(stages.pictures) * runs_at_once;
  const double input_s = stages.decode_s + stages.preprocess_s;
  const double network_s =
      stages.upload_s + stages.compute_s + stages.download_s + stages.postprocess_s;
  if (network_s <= 0) return;
  limits.network_images_per_s = images / network_s;
  if (input_s <= 0) return;
  limits.input_images_per_s = images / input_s;
  limits.serial_images_per_s = images / (input_s + network_s);
}

/// The stage of the input path that takes longer.
const char* slower_input(const StageTimes& stages) {
  return stages.decode_s > stages.preprocess_s ? "decode" : "preprocess";
}

/// A device computes while the host's threads decode: the slower of the two bounds both.
BenchLimits device_limits(const BenchFindings& findings, const PlanFloor& floor) {
  constexpr double kMicro = 1e6;
  BenchLimits limits;
  const double input_s = findings.stages.decode_s + findings.stages.preprocess_s;
  limits.device_images_per_s = kMicro / floor.us * static_cast<double>(findings.options.batch) *
                               static_cast<double>(findings.facts.devices);
  limits.images_per_s = limits.device_images_per_s;
  limits.bound_by = floor.bound_by_bytes ? "memory" : "compute";
  if (input_s > 0) {
    limits.input_images_per_s =
        static_cast<double>(findings.stages.pictures) * findings.options.threads / input_s;
  }
  if (limits.input_images_per_s > 0 && limits.input_images_per_s < limits.images_per_s) {
    limits.images_per_s = limits.input_images_per_s;
    limits.bound_by = slower_input(findings.stages);
  }
  return limits;
}

/// The threads of the host decode and compute.
BenchLimits host_limits(const BenchFindings& findings) {
  BenchLimits limits;
  const std::size_t runs = std::min(findings.facts.workers, findings.options.concurrency);
  const bool share_one_run = findings.facts.workers == 1;
  const int threads = share_one_run ? findings.options.threads : static_cast<int>(runs);
  split_stages(findings.stages, static_cast<double>(runs), limits);

  Bound network;
  if (findings.multiply_adds > 0) {
    limits.peak_multiply_adds_per_s = measure_multiply_adds(threads, findings.options.precision);
    network = {"compute",
               limits.peak_multiply_adds_per_s / static_cast<double>(findings.multiply_adds)};
  }
  if (findings.facts.weight_bytes > largest_cache_bytes()) {
    limits.memory_bytes_per_s = measure_memory_bytes(threads);
    // Runs that happen to be at the same layer read its weights once.
    const double images_a_reading =
        static_cast<double>(findings.options.batch) * static_cast<double>(runs);
    const double memory = limits.memory_bytes_per_s /
                          static_cast<double>(findings.facts.weight_bytes) * images_a_reading;
    if (network.images_per_s <= 0 || memory < network.images_per_s) network = {"memory", memory};
  }
  if (network.images_per_s <= 0) return limits;

  limits.bound_by = network.by;
  limits.images_per_s = network.images_per_s;
  if (limits.input_images_per_s > 0) {
    // The same threads decode and compute, one after the other.
    limits.images_per_s = 1 / (1 / limits.input_images_per_s + 1 / network.images_per_s);
    if (limits.input_images_per_s < network.images_per_s) {
      limits.bound_by = slower_input(findings.stages);
    }
  }
  return limits;
}

}  // namespace

BenchLimits find_limits(const BenchFindings& findings) {
  BenchLimits limits;
  if (findings.facts.on_host) {
    limits = host_limits(findings);
  } else if (findings.facts.floor) {
    limits = device_limits(findings, *findings.facts.floor);
  }
  if (limits.images_per_s > 0) {
    limits.share = static_cast<double>(findings.images) / findings.duration_s / limits.images_per_s;
  }
  return limits;
}

}  // namespace fovea::app
