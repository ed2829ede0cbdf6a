// The workers that share pictures, and the devices that they have.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/pipeline/picture_worker.h"

namespace fovea {

/// Where the device is the host, each worker has a context of its own. Elsewhere the workers of a
/// device share one PipelinedContext with a slot for each, so that the device computes what one has
/// loaded while the others load; a worker that waits for the device takes no time of a core, so
/// there is one more than there are threads for that device, and as many as keep it busy.
class PictureTeam {
 public:
  /// plans          the network on each of the devices, of which the host is one at most
  /// spec, labels   as for make_picture_worker()
  /// threads        CPU threads that load pictures, >= 1; devices share them evenly
  ///
  /// Throws DeviceError (device/out-of-memory).
  PictureTeam(std::span<const std::shared_ptr<const ExecutionPlan>> plans,
              const PreprocessSpec& spec,
              std::span<const Label> labels,
              std::size_t threads);

  /// Workers; each is for a thread of its own.
  [[nodiscard]] std::size_t size() const { return workers_.size(); }

  [[nodiscard]] PictureWorker& worker(std::size_t i) const { return *workers_[i]; }

  /// Of all workers' runs so far.
  [[nodiscard]] StageTimes times() const;

  /// Bytes of device memory that the workers have; the weights are the plans'.
  [[nodiscard]] std::size_t device_bytes() const { return device_bytes_; }

 private:
  std::vector<std::unique_ptr<PictureWorker>> workers_;
  std::size_t device_bytes_ = 0;
};

}  // namespace fovea
