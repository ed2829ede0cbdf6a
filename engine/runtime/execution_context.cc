#include "engine/runtime/execution_context.h"

#include <algorithm>
#include <utility>

#include "engine/backend/capture.h"
#include "engine/core/require.h"
#include "engine/runtime/bind_steps.h"

namespace fovea {

struct ExecutionContext::BoundBucket {
  std::vector<BoundStep> steps;
  std::unique_ptr<Replay> replay;
};

ExecutionContext::TensorSize ExecutionContext::size_of(const TensorInfo& tensor) {
  return {has_batch(tensor.desc), byte_size(with_batch(tensor.desc, 1))};
}

void ExecutionContext::require_size(const TensorInfo& tensor,
                                    const TensorSize& size,
                                    std::int64_t n,
                                    std::size_t bytes) {
  const std::size_t expected = size.row_bytes * static_cast<std::size_t>(size.batched ? n : 1);
  if (bytes == expected) return;
  throw InvalidArgument(cat("'",
                            tensor.name,
                            "' is ",
                            to_string(with_batch(tensor.desc, n)),
                            ", which takes ",
                            expected,
                            " bytes; got ",
                            bytes));
}

ExecutionContext::ExecutionContext(std::shared_ptr<const ExecutionPlan> plan)
    : plan_(std::move(plan)), stream_(plan_->backend->make_stream(plan_->threads)) {
  for (const TensorInfo& tensor : plan_->inputs) input_sizes_.push_back(size_of(tensor));
  for (const TensorInfo& tensor : plan_->outputs) output_sizes_.push_back(size_of(tensor));

  for (auto& boundary : boundaries_) boundary = stream_->make_event();

  std::size_t slots = 0;
  std::size_t workspace = 0;
  for (const BucketPlan& bucket : plan_->buckets) {
    slots = std::max(slots, bucket.arena_bytes);
    workspace = std::max(workspace, bucket.workspace_bytes);
  }
  arena_bytes_ = slots + workspace;
  arena_ = plan_->backend->allocate(arena_bytes_);
  workspace_ = arena_.get() + slots;

  for (const BucketPlan& bucket : plan_->buckets) {
    auto bound = std::make_unique<BoundBucket>();
    bound->steps = bind_steps(
        bucket, [&](SlotId slot) { return address(bucket, slot); }, workspace_, *stream_);
    if (stream_->captures()) {
      bound->replay = captured(*stream_, [&] {
        for (const BoundStep& step : bound->steps) step.enqueue(*stream_);
      });
    }
    bound_.push_back(std::move(bound));
  }
}

ExecutionContext::~ExecutionContext() = default;

void ExecutionContext::run(std::int64_t n,
                           std::span<const std::span<const std::byte>> inputs,
                           std::span<const std::span<std::byte>> outputs,
                           StageTimes* times) {
  const auto boundary = [&](std::size_t i) {
    if (times != nullptr) stream_->record(*boundaries_[i]);
  };
  const BucketPlan& bucket = plan_->bucket_for(n);
  const BoundBucket& bound = *bound_[static_cast<std::size_t>(&bucket - plan_->buckets.data())];

  boundary(0);
  upload(bucket, n, inputs);
  boundary(1);
  if (bound.replay != nullptr) {
    stream_->replay(*bound.replay);
  } else {
    for (const BoundStep& step : bound.steps) step.enqueue(*stream_);
  }
  boundary(2);
  download(bucket, n, outputs);
  boundary(3);
  stream_->synchronize();
  if (times != nullptr) add_times(n, *times);
}

void ExecutionContext::add_times(std::int64_t n, StageTimes& times) const {
  const auto seconds = [&](std::size_t stage) {
    return 1e-3 *
           static_cast<double>(boundaries_[stage + 1]->elapsed_ms_since(*boundaries_[stage]));
  };
  times.upload_s += seconds(0);
  times.compute_s += seconds(1);
  times.download_s += seconds(2);
  times.pictures += n;
}

void ExecutionContext::upload(const BucketPlan& bucket,
                              std::int64_t n,
                              std::span<const std::span<const std::byte>> inputs) {
  require(inputs.size() == plan_->inputs.size(), "wrong number of inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSize& size = input_sizes_[i];
    require_size(plan_->inputs[i], size, n, inputs[i].size());
    std::byte* to = address(bucket, bucket.inputs[i]);
    stream_->upload(to, inputs[i].data(), inputs[i].size());
    if (!size.batched) continue;
    const std::size_t row = size.row_bytes;
    const std::byte* last = inputs[i].data() + inputs[i].size() - row;
    for (std::int64_t r = n; r < bucket.batch; ++r) {
      stream_->upload(to + static_cast<std::size_t>(r) * row, last, row);
    }
  }
}

void ExecutionContext::download(const BucketPlan& bucket,
                                std::int64_t n,
                                std::span<const std::span<std::byte>> outputs) {
  require(outputs.size() == plan_->outputs.size(), "wrong number of outputs");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    require_size(plan_->outputs[i], output_sizes_[i], n, outputs[i].size());
    stream_->download(outputs[i].data(), address(bucket, bucket.outputs[i]), outputs[i].size());
  }
}

std::byte* ExecutionContext::address(const BucketPlan& bucket, SlotId slot) const {
  return slot == kNoSlot ? nullptr : arena_.get() + bucket.slots[slot].offset;
}

}  // namespace fovea
