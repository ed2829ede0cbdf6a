// What `fovea bench` measures: a network behind one of the library's doors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fovea/classifier.h>
#include <fovea/stage_times.h>

#include "apps/fovea/closed_loop.h"
#include "apps/fovea/command.h"

namespace fovea::app {

/// A picture that waits in memory.
struct StoredPicture {
  std::string path;
  std::vector<std::byte> bytes;  ///< of the file; empty where pixels are kept
  Image pixels;
};

/// How the network is used.
struct TargetOptions {
  std::string backend;
  std::vector<int> devices;
  std::string convolution;  ///< as in CompileOptions
  Precision precision = Precision::kFp32;
  TacticArguments tactics{};
  std::int64_t batch = 1;       ///< pictures of a request
  std::size_t concurrency = 1;  ///< requests in flight
  int threads = 1;              ///< CPU threads, all together
};

/// What is known of a target before it is run.
struct TargetFacts {
  std::string backend;
  bool on_host = true;               ///< whether the processor computes, and no device beside it
  std::size_t devices = 1;           ///< each with the weights in its memory
  std::size_t workers = 1;           ///< runs at a time
  std::size_t weight_bytes = 0;      ///< packed; one run reads them all
  std::size_t device_bytes = 0;      ///< weights and the memory of all runs
  std::optional<PlanFloor> floor{};  ///< of a request on one of the devices
};

class BenchTarget {
 public:
  virtual ~BenchTarget() = default;

  /// Answers the loop's requests until there are no more. Throws what the library throws.
  virtual void run(ClosedLoop& loop) = 0;

  /// Of all runs so far.
  [[nodiscard]] virtual StageTimes stage_times() const = 0;

  [[nodiscard]] virtual TargetFacts facts() const = 0;
};

/// The compiled network with its inputs in memory: Context::run on noise. As many contexts as a
/// Classifier would have for so many requests; on a device of its own at most three.
[[nodiscard]] std::unique_ptr<BenchTarget> make_tensor_target(const Model& model,
                                                              const TargetOptions& options);

/// A Classifier on these pictures, over and over. A picture that it cannot classify ends the run
/// with its error: it would take no time.
[[nodiscard]] std::unique_ptr<BenchTarget> make_picture_target(const Model& model,
                                                               const TargetOptions& options,
                                                               std::vector<StoredPicture> pictures);

}  // namespace fovea::app
