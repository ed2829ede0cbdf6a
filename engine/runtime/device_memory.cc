#include "engine/runtime/device_memory.h"

#include <algorithm>

#include "engine/core/align.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// The buffers that hold an input or an output, each once.
std::vector<std::size_t> staged_buffers(const BucketPlan& bucket) {
  std::vector<std::size_t> buffers;
  for (const auto* slots : {&bucket.inputs, &bucket.outputs}) {
    for (const SlotId slot : *slots) buffers.push_back(bucket.slots[slot].buffer);
  }
  std::ranges::sort(buffers);
  const auto repeated = std::ranges::unique(buffers);
  buffers.erase(repeated.begin(), repeated.end());
  return buffers;
}

std::size_t staged_size(const BucketPlan& bucket, std::size_t buffer) {
  return align_up(bucket.buffers[buffer].bytes, kBufferAlignment);
}

std::string size_text(std::size_t bytes) {
  constexpr std::size_t kMegabyte = 1'000'000;
  return bytes < 10 * kMegabyte ? cat(bytes, " bytes") : cat(bytes / kMegabyte, " MB");
}

/// For a plan whose smallest batch does not fit: nearly all memory is as many times that of one
/// picture as there are pictures.
std::string advice_for_less(const ExecutionPlan& plan, std::size_t batches, std::size_t free) {
  const std::int64_t smallest = plan.buckets.front().batch;
  const std::size_t needed = device_layout(std::span(plan.buckets).first(1), batches).bytes;
  const double share = static_cast<double>(free) / static_cast<double>(needed);
  const auto batch = static_cast<std::int64_t>(static_cast<double>(smallest) * share);
  if (batch >= 1 && batch < smallest) return cat("a smaller one, of about ", batch, ", may fit");
  return cat("not even for a largest batch of ", smallest, " is there enough");
}

/// What an allocation that failed is told as.
DeviceError out_of_memory(const ExecutionPlan& plan, std::size_t batches) {
  const std::size_t free_bytes = plan.backend->memory_info().free_bytes;
  std::string advice = advice_for_less(plan, batches, free_bytes);
  for (std::size_t count = plan.buckets.size() - 1; count > 0; --count) {
    const std::span smaller = std::span(plan.buckets).first(count);
    if (device_layout(smaller, batches).bytes > free_bytes) continue;
    advice = cat("a largest batch of ", smaller.back().batch, " would fit");
    break;
  }
  return DeviceError(cat("a largest batch of ",
                         plan.buckets.back().batch,
                         " needs ",
                         size_text(device_bytes(plan, batches)),
                         " of device memory, and ",
                         size_text(free_bytes),
                         " are free; ",
                         advice),
                     ErrorCode::kDeviceOutOfMemory);
}

}  // namespace

std::size_t staging_bytes(const BucketPlan& bucket) {
  std::size_t bytes = 0;
  for (const std::size_t buffer : staged_buffers(bucket)) bytes += staged_size(bucket, buffer);
  return bytes;
}

DeviceLayout device_layout(std::span<const BucketPlan> buckets, std::size_t batches) {
  DeviceLayout layout;
  std::size_t workspace_bytes = 0;
  for (const BucketPlan& bucket : buckets) {
    layout.workspace = std::max(layout.workspace, bucket.arena_bytes);
    workspace_bytes = std::max(workspace_bytes, bucket.workspace_bytes);
    layout.staging_bytes = std::max(layout.staging_bytes, staging_bytes(bucket));
  }
  layout.bytes = layout.workspace + workspace_bytes;
  if (batches == 0) return layout;
  layout.staging = align_up(layout.bytes, kBufferAlignment);
  layout.bytes = layout.staging + batches * layout.staging_bytes;
  return layout;
}

std::size_t device_bytes(const ExecutionPlan& plan, std::size_t batches) {
  return device_layout(plan.buckets, batches).bytes;
}

std::shared_ptr<std::byte> allocate_device(const ExecutionPlan& plan, std::size_t batches) {
  try {
    return plan.backend->allocate(device_bytes(plan, batches));
  } catch (const DeviceError& error) {
    if (error.code() != ErrorCode::kDeviceOutOfMemory) throw;
    throw out_of_memory(plan, batches);
  }
}

DeviceAddresses::DeviceAddresses(const BucketPlan& bucket, std::byte* memory, std::byte* staging)
    : bucket_(bucket) {
  for (const ArenaBuffer& buffer : bucket.buffers) buffers_.push_back(memory + buffer.offset);
  if (staging == nullptr) return;
  for (const std::size_t buffer : staged_buffers(bucket)) {
    buffers_[buffer] = staging;
    staging += staged_size(bucket, buffer);
  }
}

std::byte* DeviceAddresses::operator()(SlotId slot) const {
  if (slot == kNoSlot) return nullptr;
  const Slot& value = bucket_.slots[slot];
  return buffers_[value.buffer] + (value.offset - bucket_.buffers[value.buffer].offset);
}

}  // namespace fovea
