#include "engine/pipeline/picture_worker.h"

#include <array>
#include <utility>

#include "engine/core/require.h"
#include "engine/core/stage_clock.h"
#include "engine/pipeline/predictions.h"
#include "engine/runtime/execution_context.h"
#include "engine/runtime/pipelined_context.h"

namespace fovea {

namespace {

/// Pictures and results lie in ordinary memory, which the context copies from and to.
class ContextWorker final : public PictureWorker {
 public:
  ContextWorker(std::shared_ptr<const ExecutionPlan> plan, std::span<const Label> labels)
      : PictureWorker(*plan, labels), context_(std::move(plan)) {
    const auto most = static_cast<std::size_t>(context_.plan().buckets.back().batch);
    pictures_.resize(most * picture_bytes());
    values_.resize(most * k());
    indices_.resize(most * k());
  }

 private:
  void run_batch(const Fill& fill, const Take& take) override {
    const auto n = static_cast<std::size_t>(fill(pictures_));
    if (n == 0) return;
    const std::span<const std::byte> input = std::span(pictures_).first(n * picture_bytes());
    const std::span<float> values = std::span(values_).first(n * k());
    const std::span<std::int32_t> indices = std::span(indices_).first(n * k());
    const std::array outputs{std::as_writable_bytes(values), std::as_writable_bytes(indices)};
    context_.run(static_cast<std::int64_t>(n), {&input, 1}, outputs, &times_);
    take(values, indices);
  }

  ExecutionContext context_;
  std::vector<std::byte> pictures_;
  std::vector<float> values_;
  std::vector<std::int32_t> indices_;
};

/// Pictures and results lie in the slot, which the device copies from and to.
class SlotWorker final : public PictureWorker {
 public:
  SlotWorker(std::shared_ptr<PipelinedContext> context, std::span<const Label> labels)
      : PictureWorker(context->plan(), labels), context_(std::move(context)) {}

 private:
  void run_batch(const Fill& fill, const Take& take) override {
    PipelinedContext::Batch batch = context_->submit(
        [&](std::span<const std::span<std::byte>> inputs) { return fill(inputs[0]); });
    if (batch.size() == 0) return;
    const auto outputs = batch.collect(&times_);
    const std::size_t count = static_cast<std::size_t>(batch.size()) * k();
    take({reinterpret_cast<const float*>(outputs[0].data()), count},
         {reinterpret_cast<const std::int32_t*>(outputs[1].data()), count});
  }

  std::shared_ptr<PipelinedContext> context_;
};

}  // namespace

PictureWorker::PictureWorker(const ExecutionPlan& plan, std::span<const Label> labels)
    : labels_(labels),
      picture_bytes_(byte_size(with_batch(plan.inputs.at(0).desc, 1))),
      k_(static_cast<std::size_t>(plan.outputs.at(0).desc.shape.back())) {
  require(plan.inputs.size() == 1 && plan.outputs.size() == 2,
          "a classifier's plan takes pictures and gives values and indices");
}

std::vector<Result> PictureWorker::run(std::span<const LoadPicture> loads) {
  std::vector<Result> results(loads.size());
  std::vector<std::size_t> loaded;
  const auto fill = [&](std::span<std::byte> pictures) {
    auto* out = reinterpret_cast<std::uint8_t*>(pictures.data());
    for (std::size_t i = 0; i < loads.size(); ++i) {
      try {
        loads[i](out + loaded.size() * picture_bytes_, times_);
        loaded.push_back(i);
      } catch (const Error& error) {
        results[i].failure = Failure{error.code(), error.what()};
      }
    }
    return static_cast<std::int64_t>(loaded.size());
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
                                                   std::span<const Label> labels) {
  return std::make_unique<ContextWorker>(std::move(plan), labels);
}

std::unique_ptr<PictureWorker> make_picture_worker(std::shared_ptr<PipelinedContext> context,
                                                   std::span<const Label> labels) {
  return std::make_unique<SlotWorker>(std::move(context), labels);
}

}  // namespace fovea
