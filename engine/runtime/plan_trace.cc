#include "engine/runtime/plan_trace.h"

#include <array>
#include <utility>

#include "engine/core/require.h"

namespace fovea {

PlanTrace::PlanTrace(std::shared_ptr<const ExecutionPlan> plan, const BucketPlan& bucket)
    : plan_(std::move(plan)),
      bucket_(bucket),
      stream_(plan_->backend->make_stream(plan_->threads)),
      start_(stream_->make_event()),
      end_(stream_->make_event()),
      no_weights_(*plan_->backend),
      encoded_(*plan_),
      arena_(plan_->backend->allocate(bucket.arena_bytes + bucket.workspace_bytes)) {
  steps_ = bind_steps(
      bucket_,
      [this](SlotId slot) { return address(slot); },
      arena_.get() + bucket.arena_bytes,
      *stream_);
}

PlanTrace::~PlanTrace() = default;

std::byte* PlanTrace::address(SlotId slot) const {
  return slot == kNoSlot ? nullptr : arena_.get() + bucket_.slots[slot].offset;
}

void PlanTrace::upload(std::span<const std::vector<std::byte>> inputs) {
  require(inputs.size() == bucket_.inputs.size(), "wrong number of inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require(inputs[i].size() == byte_size(bucket_.slots[bucket_.inputs[i]].desc),
            "wrong size of an input");
    std::span<const std::byte> bytes = inputs[i];
    if (bucket_.encoders[i]) bytes = encoded_.encode(bucket_, i, bytes);
    stream_->upload(address(bucket_.inputs[i]), bytes.data(), bytes.size());
  }
  stream_->synchronize();
}

void PlanTrace::run(const AfterStep& after) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    stream_->record(*start_);
    steps_[i].enqueue(*stream_);
    stream_->record(*end_);
    stream_->synchronize();
    after(i, end_->elapsed_ms_since(*start_));
  }
}

std::vector<std::byte> PlanTrace::read(SlotId slot) {
  const Slot& from = bucket_.slots[slot];
  std::vector<std::byte> bytes(byte_size(from.desc));
  if (from.layout.kind == Layout::Kind::kDense) {
    stream_->download(bytes.data(), address(slot), bytes.size());
    stream_->synchronize();
    return bytes;
  }
  const std::array<Layout, 2> layouts{from.layout, Layout{}};
  const Tactic conversion = plan_->backend->conversion(from.desc, layouts[0], layouts[1]);
  const auto step =
      conversion.build({std::span(layouts).first(1), std::span(layouts).last(1), no_weights_});
  const auto dense = plan_->backend->allocate(bytes.size());
  const auto workspace = plan_->backend->allocate(conversion.workspace_bytes);
  BoundStep(*step, {address(slot)}, {dense.get()}, workspace.get(), *stream_).enqueue(*stream_);
  stream_->download(bytes.data(), dense.get(), bytes.size());
  stream_->synchronize();
  return bytes;
}

}  // namespace fovea
