// One thread's way from pictures to predictions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <fovea/model.h>
#include <fovea/result.h>
#include <fovea/stage_times.h>

#include "engine/runtime/execution_context.h"

namespace fovea {

/// Writes one picture, already resized, to `out`: height * width * channels bytes of the network's
/// input, and adds what that took to `times`. Throws Error with an image/... code for a picture
/// that cannot be had.
using LoadPicture = std::function<void(std::uint8_t* out, StageTimes& times)>;

/// A context for a plan that begins with pictures of the network's size and ends with TopK, and the
/// buffers around it. Not thread-safe: one per thread.
class PictureWorker {
 public:
  /// `plan` has one u8 input [N,H,W,C] and the outputs of a TopK, values first. `labels` must live
  /// as long as the worker.
  PictureWorker(std::shared_ptr<const ExecutionPlan> plan, std::span<const Label> labels);

  /// One Result per picture, at most the plan's largest batch of them; a picture that cannot be
  /// loaded gets a Result with that failure and takes no part in the run. Throws DeviceError.
  [[nodiscard]] std::vector<Result> run(std::span<const LoadPicture> loads);

  /// Of all runs so far.
  [[nodiscard]] const StageTimes& times() const { return times_; }

  /// Bytes of the context's memory on the device.
  [[nodiscard]] std::size_t arena_bytes() const { return context_.arena_bytes(); }

 private:
  ExecutionContext context_;
  std::span<const Label> labels_;
  std::size_t picture_bytes_;
  std::size_t k_;
  std::vector<std::uint8_t> pictures_;
  std::vector<float> values_;
  std::vector<std::int32_t> indices_;
  StageTimes times_;
};

}  // namespace fovea
