// What the self-test found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan/tactic_record.h"
#include "tests/gpu/compare_logits.h"
#include "tests/gpu/run_cases.h"

namespace fovea::selftest {

/// A network in one precision against its oracle.
struct NetworkResult {
  std::string network;
  std::string precision;
  std::string tuning;
  std::optional<LogitsError> logits;
  double compile_s = 0;
  bool ok = false;
  std::string error;  ///< why there are no figures, or which one is out of bounds
};

/// The speed of a network's steps, its pictures on the device.
struct BenchResult {
  std::string network;
  std::string precision;
  std::int64_t batch = 0;
  std::size_t launches = 0;
  std::size_t device_bytes = 0;  ///< of weights, arena and workspace
  double median_us = 0;          ///< of one run of the batch
  double best_us = 0;
  double host_us = 0;   ///< median from pictures in host memory to logits there
  double floor_us = 0;  ///< of the steps, by data sheet; 0 where none is known
  double compile_s = 0;
  TacticRecord tactics;
  std::optional<LogitsError> logits;  ///< of the last run's whole batch
  std::string error;                  ///< why there are no figures, or which one is out of bounds

  [[nodiscard]] double images_per_s() const {
    return median_us > 0 ? 1e6 * static_cast<double>(batch) / median_us : 0;
  }
};

/// Something that was asked for and not done.
struct LeftOut {
  std::string part;  ///< as --only has it
  std::string what;  ///< "vgg16 fp16", the name of a test
  std::string why;
};

struct Report {
  std::string device;           ///< Backend::fingerprint()
  std::string date;             ///< of the run, UTC
  double copy_bytes_per_s = 0;  ///< read plus written, of a large copy on the device
  std::vector<CaseResult> kernels;
  std::vector<CaseResult> tactics;
  std::vector<NetworkResult> networks;
  std::vector<BenchResult> bench;
  std::vector<LeftOut> left_out;

  /// Whether nothing failed and everything was checked: only times may be left out.
  [[nodiscard]] bool ok() const;
};

[[nodiscard]] std::string to_json(const Report& report);

}  // namespace fovea::selftest
