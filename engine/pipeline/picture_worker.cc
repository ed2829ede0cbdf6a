#include "engine/pipeline/picture_worker.h"

#include <array>
#include <utility>

#include "engine/core/require.h"
#include "engine/core/stage_clock.h"
#include "engine/pipeline/predictions.h"
#include "engine/runtime/execution_context.h"
#include "engine/runtime/pipelined_context.h"
#include "engine/runtime/tensor_size.h"

namespace fovea {

namespace {

/// Pictures and results lie in ordinary memory, which the context copies from and to.
class ContextWorker final : public PictureWorker {
 public:
  ContextWorker(std::shared_ptr<const ExecutionPlan> plan,
                const PreprocessSpec& spec,
                std::span<const Label> labels)
      : PictureWorker(*plan, spec, labels),
        context_(std::move(plan)),
        sizes_(tensor_sizes(context_.plan().inputs)) {
    const auto most = static_cast<std::size_t>(context_.plan().buckets.back().batch);
    for (const TensorSize& size : sizes_) buffers_.emplace_back(most * size.row_bytes);
    values_.resize(most * k());
    indices_.resize(most * k());
  }

 private:
  void run_batch(const Fill& fill, const Take& take) override {
    room_.assign(buffers_.begin(), buffers_.end());
    const auto n = static_cast<std::size_t>(fill(room_));
    if (n == 0) return;
    inputs_.clear();
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      inputs_.emplace_back(buffers_[i].data(), n * sizes_[i].row_bytes);
    }
    const std::span<float> values = std::span(values_).first(n * k());
    const std::span<std::int32_t> indices = std::span(indices_).first(n * k());
    const std::array outputs{std::as_writable_bytes(values), std::as_writable_bytes(indices)};
    context_.run(static_cast<std::int64_t>(n), inputs_, outputs, &times_);
    take(values, indices);
  }

  ExecutionContext context_;
  std::vector<TensorSize> sizes_;                   ///< of the inputs
  std::vector<std::vector<std::byte>> buffers_;     ///< likewise, for the largest batch
  std::vector<std::span<std::byte>> room_;          ///< the whole of them
  std::vector<std::span<const std::byte>> inputs_;  ///< what the pictures of a run take of them
  std::vector<float> values_;
  std::vector<std::int32_t> indices_;
};

/// Pictures and results lie in the slot, which the device copies from and to.
class SlotWorker final : public PictureWorker {
 public:
  SlotWorker(std::shared_ptr<PipelinedContext> context,
             const PreprocessSpec& spec,
             std::span<const Label> labels)
      : PictureWorker(context->plan(), spec, labels), context_(std::move(context)) {}

 private:
  void run_batch(const Fill& fill, const Take& take) override {
    PipelinedContext::Batch batch = context_->submit(fill);
    if (batch.size() == 0) return;
    const auto outputs = batch.collect(&times_);
    const std::size_t count = static_cast<std::size_t>(batch.size()) * k();
    take({reinterpret_cast<const float*>(outputs[0].data()), count},
         {reinterpret_cast<const std::int32_t*>(outputs[1].data()), count});
  }

  std::shared_ptr<PipelinedContext> context_;
};

}  // namespace

PictureWorker::PictureWorker(const ExecutionPlan& plan,
                             const PreprocessSpec& spec,
                             std::span<const Label> labels)
    : labels_(labels),
      form_(plan, spec),
      k_(static_cast<std::size_t>(plan.outputs.at(0).desc.shape.back())) {
  require(plan.outputs.size() == 2, "a classifier's plan gives values and indices");
}

std::vector<Result> PictureWorker::run(std::span<const LoadPicture> loads) {
  std::vector<Result> results(loads.size());
  std::vector<std::size_t> loaded;
  const auto fill = [&](std::span<std::span<std::byte>> inputs) {
    PictureBatch batch(form_, inputs);
    for (std::size_t i = 0; i < loads.size(); ++i) {
      try {
        const LoadedPicture picture = loads[i](times_);
        StageClock clock;
        batch.add(picture.view());
        clock.end_of(times_.preprocess_s);
        loaded.push_back(i);
      } catch (const Error& error) {
        results[i].failure = Failure{error.code(), error.what()};
      }
    }
    if (form_.packed) inputs[0] = inputs[0].first(batch.bytes());
    return batch.size();
  };
  const auto take = [&](std::span<const float> values, std::span<const std::int32_t> indices) {
    StageClock clock;
    for (std::size_t i = 0; i < loaded.size(); ++i) {
      results[loaded[i]] =
          label_predictions(values.subspan(i * k_, k_), indices.subspan(i * k_, k_), labels_);
    }
    clock.end_of(times_.postprocess_s);
  };
  run_batch(fill, take);
  return results;
}

std::unique_ptr<PictureWorker> make_picture_worker(std::shared_ptr<const ExecutionPlan> plan,
                                                   const PreprocessSpec& spec,
                                                   std::span<const Label> labels) {
  return std::make_unique<ContextWorker>(std::move(plan), spec, labels);
}

std::unique_ptr<PictureWorker> make_picture_worker(std::shared_ptr<PipelinedContext> context,
                                                   const PreprocessSpec& spec,
                                                   std::span<const Label> labels) {
  return std::make_unique<SlotWorker>(std::move(context), spec, labels);
}

}  // namespace fovea
