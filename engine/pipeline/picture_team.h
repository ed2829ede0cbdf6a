// The workers that share a plan, and the device that they share.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/pipeline/picture_worker.h"

namespace fovea {

/// Where the device is the host, each worker has a context of its own. Elsewhere all of them share
/// one PipelinedContext with a slot for each, so that the device computes what one has loaded while
/// the others load; a worker that waits for the device takes no time of a core, so there is one
/// more than there are threads, and as many as keep the device busy.
class PictureTeam {
 public:
  /// plan, spec, labels   as for make_picture_worker()
  /// threads              CPU threads that load pictures, >= 1
  ///
  /// Throws DeviceError (device/out-of-memory).
  PictureTeam(const std::shared_ptr<const ExecutionPlan>& plan,
              const PreprocessSpec& spec,
              std::span<const Label> labels,
              std::size_t threads);

  /// Workers; each is for a thread of its own.
  [[nodiscard]] std::size_t size() const { return workers_.size(); }

  [[nodiscard]] PictureWorker& worker(std::size_t i) const { return *workers_[i]; }

  /// Of all workers' runs so far.
  [[nodiscard]] StageTimes times() const;

  /// Bytes of device memory that the workers have; the weights are the plan's.
  [[nodiscard]] std::size_t device_bytes() const { return device_bytes_; }

 private:
  std::vector<std::unique_ptr<PictureWorker>> workers_;
  std::size_t device_bytes_ = 0;
};

}  // namespace fovea
