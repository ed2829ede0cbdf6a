#include "engine/runtime/execution_context.h"

#include <utility>

#include "engine/backend/settle.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

void require_size(const TensorInfo& tensor,
                  const TensorSize& size,
                  std::int64_t n,
                  std::size_t bytes) {
  if (bytes == size.bytes(n)) return;
  throw InvalidArgument(cat("'",
                            tensor.name,
                            "' is ",
                            to_string(with_batch(tensor.desc, n)),
                            ", which takes ",
                            size.bytes(n),
                            " bytes; got ",
                            bytes));
}

}  // namespace

ExecutionContext::ExecutionContext(std::shared_ptr<const ExecutionPlan> plan)
    : plan_(std::move(plan)),
      stream_(plan_->backend->make_stream(plan_->threads)),
      input_sizes_(tensor_sizes(plan_->inputs)),
      output_sizes_(tensor_sizes(plan_->outputs)),
      encoded_(*plan_),
      arena_(allocate_device(*plan_, 0)) {
  for (auto& boundary : boundaries_) boundary = stream_->make_event();
  std::byte* workspace = arena_.get() + device_layout(plan_->buckets, 0).workspace;
  for (const BucketPlan& bucket : plan_->buckets) {
    bound_.emplace_back(
        bucket, DeviceAddresses(bucket, arena_.get(), nullptr), workspace, *stream_);
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
  require_sizes(n, inputs, outputs);
  try {
    boundary(0);
    upload(bucket, n, inputs);
    boundary(1);
    bound_[static_cast<std::size_t>(&bucket - plan_->buckets.data())].enqueue(*stream_);
    boundary(2);
    download(bucket, outputs);
    boundary(3);
    stream_->synchronize();
  } catch (...) {
    (void)settle(*stream_);  // copies from and to the caller's memory may be at work
    throw;
  }
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

void ExecutionContext::require_sizes(std::int64_t n,
                                     std::span<const std::span<const std::byte>> inputs,
                                     std::span<const std::span<std::byte>> outputs) const {
  require(inputs.size() == plan_->inputs.size(), "wrong number of inputs");
  require(outputs.size() == plan_->outputs.size(), "wrong number of outputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require_size(plan_->inputs[i], input_sizes_[i], n, inputs[i].size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    require_size(plan_->outputs[i], output_sizes_[i], n, outputs[i].size());
  }
}

void ExecutionContext::upload(const BucketPlan& bucket,
                              std::int64_t n,
                              std::span<const std::span<const std::byte>> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::byte* to = address(bucket, bucket.inputs[i]);
    if (bucket.encoders[i]) {
      const std::span<const std::byte> encoded = encoded_.encode(bucket, i, inputs[i]);
      stream_->upload(to, encoded.data(), encoded.size());
      continue;
    }
    stream_->upload(to, inputs[i].data(), inputs[i].size());
    const TensorSize& size = input_sizes_[i];
    if (size.batched) repeat_last_row(*stream_, to, size.row_bytes, n, bucket.batch);
  }
}

void ExecutionContext::download(const BucketPlan& bucket,
                                std::span<const std::span<std::byte>> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    stream_->download(outputs[i].data(), address(bucket, bucket.outputs[i]), outputs[i].size());
  }
}

std::byte* ExecutionContext::address(const BucketPlan& bucket, SlotId slot) const {
  return arena_.get() + bucket.slots[slot].offset;
}

}  // namespace fovea
