// One thread's way from pictures to predictions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <fovea/model.h>
#include <fovea/result.h>
#include <fovea/stage_times.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

class PipelinedContext;

/// Writes one picture, already resized, to `out`: height * width * channels bytes of the network's
/// input, and adds what that took to `times`. Throws Error with an image/... code for a picture
/// that cannot be had.
using LoadPicture = std::function<void(std::uint8_t* out, StageTimes& times)>;

/// Runs a plan that begins with pictures of the network's size and ends with TopK. Not thread-safe:
/// one per thread.
class PictureWorker {
 public:
  virtual ~PictureWorker() = default;
  PictureWorker(const PictureWorker&) = delete;
  PictureWorker& operator=(const PictureWorker&) = delete;

  /// One Result per picture, at most the plan's largest batch of them; a picture that cannot be
  /// loaded gets a Result with that failure and takes no part in the run. Throws DeviceError.
  [[nodiscard]] std::vector<Result> run(std::span<const LoadPicture> loads);

  /// Of all runs so far.
  [[nodiscard]] const StageTimes& times() const { return times_; }

 protected:
  /// Writes n pictures to the plan's input and returns n.
  using Fill = std::function<std::int64_t(std::span<std::byte> pictures)>;

  /// Reads the plan's outputs for n pictures.
  using Take =
      std::function<void(std::span<const float> values, std::span<const std::int32_t> indices)>;

  PictureWorker(const ExecutionPlan& plan, std::span<const Label> labels);

  /// Fills a batch, runs it unless it is empty, and has its outputs taken.
  virtual void run_batch(const Fill& fill, const Take& take) = 0;

  [[nodiscard]] std::size_t picture_bytes() const { return picture_bytes_; }

  /// Predictions per picture.
  [[nodiscard]] std::size_t k() const { return k_; }

  StageTimes times_;

 private:
  std::span<const Label> labels_;
  std::size_t picture_bytes_;
  std::size_t k_;
};

/// A worker with a context and buffers of its own. `plan` has one u8 input [N,H,W,C] and the
/// outputs of a TopK, values first. `labels` must live as long as the worker.
[[nodiscard]] std::unique_ptr<PictureWorker> make_picture_worker(
    std::shared_ptr<const ExecutionPlan> plan, std::span<const Label> labels);

/// A worker that fills a slot of a context which it shares with others: at most one slot at a time,
/// from the first picture that is loaded until the last result is read. The context's plan is as
/// above.
[[nodiscard]] std::unique_ptr<PictureWorker> make_picture_worker(
    std::shared_ptr<PipelinedContext> context, std::span<const Label> labels);

}  // namespace fovea
