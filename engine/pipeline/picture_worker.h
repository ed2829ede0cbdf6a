// One thread's way from pictures to predictions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <fovea/image.h>
#include <fovea/model.h>
#include <fovea/result.h>
#include <fovea/stage_times.h>

#include "engine/pipeline/picture_batch.h"
#include "engine/plan/execution_plan.h"

namespace fovea {

class PipelinedContext;

/// A picture of its own, or somebody else's that stays where it is while it is used.
class LoadedPicture {
 public:
  LoadedPicture(Image own) : own_(std::move(own)), view_(own_.view()) {}  // NOLINT(*explicit*)

  explicit LoadedPicture(const ImageView& others) : view_(others) {}

  [[nodiscard]] const ImageView& view() const { return view_; }

 private:
  Image own_;
  ImageView view_;  ///< of memory that moves with own_
};

/// Gives one picture of the network's colour, 8 bits a channel and any size, and adds what that
/// took to `times`. Throws Error with an image/... code for a picture that cannot be had.
using LoadPicture = std::function<LoadedPicture(StageTimes& times)>;

/// Runs a plan that begins with pictures (PictureForm) and ends with TopK. Not thread-safe: one per
/// thread.
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
  /// Writes n pictures to the plan's inputs and returns n; shortens those that hold less than n
  /// pictures have room for.
  using Fill = std::function<std::int64_t(std::span<std::span<std::byte>> inputs)>;

  /// Reads the plan's outputs for n pictures.
  using Take =
      std::function<void(std::span<const float> values, std::span<const std::int32_t> indices)>;

  PictureWorker(const ExecutionPlan& plan,
                const PreprocessSpec& spec,
                std::span<const Label> labels);

  /// Fills a batch, runs it unless it is empty, and has its outputs taken.
  virtual void run_batch(const Fill& fill, const Take& take) = 0;

  /// Predictions per picture.
  [[nodiscard]] std::size_t k() const { return k_; }

  StageTimes times_;

 private:
  std::span<const Label> labels_;
  PictureForm form_;
  std::size_t k_;
};

/// A worker with a context and buffers of its own. `plan` has the inputs of a PictureForm and the
/// outputs of a TopK, values first; `spec` says how pictures come to the network's size. `labels`
/// must live as long as the worker. Throws InvalidArgument for another plan.
[[nodiscard]] std::unique_ptr<PictureWorker> make_picture_worker(
    std::shared_ptr<const ExecutionPlan> plan,
    const PreprocessSpec& spec,
    std::span<const Label> labels);

/// A worker that fills a slot of a context which it shares with others: at most one slot at a time,
/// from the first picture that is loaded until the last result is read. The context's plan is as
/// above.
[[nodiscard]] std::unique_ptr<PictureWorker> make_picture_worker(
    std::shared_ptr<PipelinedContext> context,
    const PreprocessSpec& spec,
    std::span<const Label> labels);

}  // namespace fovea
