#include "engine/runtime/pipelined_context.h"

#include <algorithm>

#include "engine/backend/settle.h"
#include "engine/core/align.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// Bytes of the tensors for n pictures, one after the other.
std::size_t aligned_bytes(std::span<const TensorSize> sizes, std::int64_t n) {
  std::size_t bytes = 0;
  for (const TensorSize& size : sizes) bytes += align_up(size.bytes(n), kBufferAlignment);
  return bytes;
}

std::size_t checked_slots(std::size_t slots) {
  require(slots >= 1, "a pipeline needs at least one slot");
  return slots;
}

double seconds(const Event& begin, const Event& end) {
  return 1e-3 * static_cast<double>(end.elapsed_ms_since(begin));
}

}  // namespace

PipelinedContext::PipelinedContext(std::shared_ptr<const ExecutionPlan> plan, std::size_t slots)
    : plan_(std::move(plan)),
      input_sizes_(tensor_sizes(plan_->inputs)),
      output_sizes_(tensor_sizes(plan_->outputs)),
      memory_(allocate_device(*plan_, checked_slots(slots))),
      host_(plan_->backend->allocate_host(slots * host_slot_bytes())),
      upload_(plan_->backend->make_stream(plan_->threads)),
      compute_(plan_->backend->make_stream(plan_->threads)),
      download_(plan_->backend->make_stream(plan_->threads)),
      slots_(slots) {
  const DeviceLayout layout = device_layout(plan_->buckets, slots);
  for (std::size_t i = 0; i < slots; ++i) {
    prepare(slots_[i],
            host_.get() + i * host_slot_bytes(),
            memory_.get() + layout.staging + i * layout.staging_bytes);
  }
}

PipelinedContext::~PipelinedContext() {
  for (Stream* stream : {upload_.get(), compute_.get(), download_.get()}) (void)settle(*stream);
}

/// Of one slot.
std::size_t PipelinedContext::host_slot_bytes() const {
  const std::int64_t most = plan_->buckets.back().batch;
  return aligned_bytes(input_sizes_, most) + aligned_bytes(output_sizes_, most);
}

void PipelinedContext::prepare(Slot& slot, std::byte* host, std::byte* staging) {
  const std::int64_t most = plan_->buckets.back().batch;
  for (const TensorSize& size : input_sizes_) {
    slot.inputs.emplace_back(host, size.bytes(most));
    host += align_up(size.bytes(most), kBufferAlignment);
  }
  slot.filled = slot.inputs;
  slot.uploads.resize(slot.inputs.size());
  slot.encoded = std::make_unique<EncodedInputs>(*plan_);
  for (const TensorSize& size : output_sizes_) {
    slot.outputs.push_back(host);
    slot.result.emplace_back(host, size.bytes(most));
    host += align_up(size.bytes(most), kBufferAlignment);
  }
  std::byte* workspace = memory_.get() + device_layout(plan_->buckets, slots_.size()).workspace;
  for (const BucketPlan& bucket : plan_->buckets) {
    slot.addresses.emplace_back(bucket, memory_.get(), staging);
    slot.bound.emplace_back(bucket, slot.addresses.back(), workspace, *compute_);
  }
  for (Span* span : {&slot.upload, &slot.compute, &slot.download}) {
    span->begin = compute_->make_event();
    span->end = compute_->make_event();
  }
}

PipelinedContext::Slot& PipelinedContext::take() {
  const std::lock_guard lock(mutex_);
  require_usable();
  const auto free = std::ranges::find(slots_, false, &Slot::taken);
  if (free == slots_.end()) {
    throw InvalidArgument(cat("all ", slots_.size(), " slots are taken; collect a batch first"));
  }
  free->taken = true;
  free->n = 0;
  return *free;
}

void PipelinedContext::release(Slot& slot) noexcept {
  const std::lock_guard lock(mutex_);
  slot.taken = false;
}

/// The caller has the mutex.
void PipelinedContext::require_usable() const {
  if (failure_) throw DeviceError(cat("the device failed before: ", *failure_));
}

/// The caller has the mutex.
void PipelinedContext::note_failure(const char* what) {
  if (!failure_) failure_ = what;
}

/// The inputs as they were before the last batch.
std::span<std::span<std::byte>> PipelinedContext::open(Slot& slot) {
  std::ranges::copy(slot.inputs, slot.filled.begin());
  return slot.filled;
}

/// Makes ready what is uploaded. Only the thread that has the slot is here, so that several encode
/// at once.
void PipelinedContext::encode(Slot& slot, const BucketPlan& bucket, std::int64_t n) const {
  for (std::size_t i = 0; i < input_sizes_.size(); ++i) {
    const TensorSize& size = input_sizes_[i];
    const std::span<const std::byte> rows = slot.inputs[i].first(size.bytes(n));
    if (bucket.encoders[i]) {
      slot.uploads[i] = {slot.encoded->encode(bucket, i, rows)};
    } else if (slot.filled[i].size() < slot.inputs[i].size()) {
      slot.uploads[i] = {slot.filled[i]};
    } else {
      slot.uploads[i] = {rows, size.batched};
    }
  }
}

void PipelinedContext::enqueue(Slot& slot, std::int64_t n) {
  const BucketPlan& bucket = plan_->bucket_for(n);
  encode(slot, bucket, n);
  const auto index = static_cast<std::size_t>(&bucket - plan_->buckets.data());
  const std::lock_guard lock(mutex_);
  slot.n = n;
  try {
    upload(slot, index);
    compute(slot, index);
    download(slot, index);
  } catch (const std::exception& error) {
    note_failure(error.what());
    throw;
  }
}

/// The slot's last batch was collected, so nothing reads its staging area any more.
void PipelinedContext::upload(Slot& slot, std::size_t bucket) {
  const BucketPlan& planned = plan_->buckets[bucket];
  upload_->record(*slot.upload.begin);
  for (std::size_t i = 0; i < input_sizes_.size(); ++i) {
    const Upload& from = slot.uploads[i];
    std::byte* to = slot.addresses[bucket](planned.inputs[i]);
    upload_->upload(to, from.bytes.data(), from.bytes.size());
    if (from.repeats) {
      repeat_last_row(*upload_, to, input_sizes_[i].row_bytes, slot.n, planned.batch);
    }
  }
  upload_->record(*slot.upload.end);
}

void PipelinedContext::compute(Slot& slot, std::size_t bucket) {
  compute_->wait(*slot.upload.end);
  compute_->record(*slot.compute.begin);
  slot.bound[bucket].enqueue(*compute_);
  compute_->record(*slot.compute.end);
}

void PipelinedContext::download(Slot& slot, std::size_t bucket) {
  const BucketPlan& planned = plan_->buckets[bucket];
  download_->wait(*slot.compute.end);
  download_->record(*slot.download.begin);
  for (std::size_t i = 0; i < output_sizes_.size(); ++i) {
    const std::size_t bytes = output_sizes_[i].bytes(slot.n);
    download_->download(slot.outputs[i], slot.addresses[bucket](planned.outputs[i]), bytes);
    slot.result[i] = {slot.outputs[i], bytes};
  }
  download_->record(*slot.download.end);
}

/// Waits without the mutex, so that other threads go on.
void PipelinedContext::collect(Slot& slot, StageTimes* times) {
  try {
    slot.download.end->synchronize();
    if (times != nullptr) add_times(slot, *times);
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    note_failure(error.what());
    throw;
  }
  const std::lock_guard lock(mutex_);
  require_usable();
}

/// Waits for a batch that nobody wants any more.
void PipelinedContext::abandon(Slot& slot) noexcept {
  try {
    collect(slot, nullptr);
  } catch (const std::exception&) {
    return;  // noted, and whoever uses the context next is told
  }
}

void PipelinedContext::add_times(const Slot& slot, StageTimes& times) const {
  times.upload_s += seconds(*slot.upload.begin, *slot.upload.end);
  times.compute_s += seconds(*slot.compute.begin, *slot.compute.end);
  times.download_s += seconds(*slot.download.begin, *slot.download.end);
  times.pictures += slot.n;
}

PipelinedContext::Batch::~Batch() {
  if (slot_ == nullptr) return;
  if (in_flight_) context_->abandon(*slot_);
  context_->release(*slot_);
}

std::span<const std::span<const std::byte>> PipelinedContext::Batch::collect(StageTimes* times) {
  require(in_flight_, "there is no batch to collect");
  in_flight_ = false;
  context_->collect(*slot_, times);
  return slot_->result;
}

}  // namespace fovea
