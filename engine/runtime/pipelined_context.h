// Several batches of a plan in flight on one device: copies beside compute.
//
//   upload stream     up 1  up 2  up 3   .     .
//   compute stream     .    run 1 run 2 run 3  .
//   download stream    .     .    down 1 ...
//
// One stream for each direction, since in one of both an upload would wait behind a download, which
// waits for the steps of an earlier batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fovea/stage_times.h>

#include "engine/plan/execution_plan.h"
#include "engine/runtime/bound_bucket.h"
#include "engine/runtime/encoded_inputs.h"
#include "engine/runtime/tensor_size.h"

namespace fovea {

/// A ring of slots, each for one batch: page-locked host memory for its inputs and outputs, a
/// staging area for them on the device, and the plan's steps captured on those addresses. The arena
/// is shared, as the steps of the batches run one after the other. All memory is allocated and all
/// is captured by the constructor; submit() and collect() allocate nothing but what encoding an
/// input takes.
///
/// Several threads may submit and collect, each its own batches; the context outlives the batches.
///
/// A failure of the device, or of work that is in flight, is the last thing that the context does:
/// every later call throws DeviceError (device/failed) that repeats the first one, and no batch
/// that was in flight is answered.
class PipelinedContext {
 public:
  /// While one batch is uploaded, one is computed and one is downloaded or read.
  static constexpr std::size_t kSlots = 3;

  class Batch;

  /// slots   batches that may be in flight at once, >= 1; three or more keep the device busy
  ///
  /// Throws DeviceError (device/out-of-memory): see allocate_device().
  explicit PipelinedContext(std::shared_ptr<const ExecutionPlan> plan, std::size_t slots = kSlots);

  /// Waits for what is still at work.
  ~PipelinedContext();
  PipelinedContext(const PipelinedContext&) = delete;
  PipelinedContext& operator=(const PipelinedContext&) = delete;

  /// Takes a free slot, has its inputs filled and encoded by the calling thread, and enqueues the
  /// batch; does not wait. Missing pictures of the bucket repeat the last one; what comes of them
  /// is dropped.
  ///
  /// fill   std::int64_t(std::span<std::span<std::byte>> inputs): writes n pictures in the order of
  ///        ExecutionPlan::inputs, each dense from its start, and returns n: 1 to the plan's
  ///        largest batch, for which there is room; 0 for none, and then nothing is enqueued. Of an
  ///        input that it shortens, the steps read nothing behind that end, so that neither is
  ///        copied nor a missing picture repeated. What it throws is thrown on, and harms nothing.
  ///
  /// Throws InvalidArgument where all slots are taken, for an n that the plan does not take, and
  /// for an input that its encoder does not take.
  template <typename Fill>
  [[nodiscard]] Batch submit(const Fill& fill);

  [[nodiscard]] const ExecutionPlan& plan() const { return *plan_; }

  [[nodiscard]] std::size_t slots() const { return slots_.size(); }

 private:
  /// Begin and end of what one stream does for a batch.
  struct Span {
    std::unique_ptr<Event> begin;
    std::unique_ptr<Event> end;
  };

  /// What is copied of an input.
  struct Upload {
    std::span<const std::byte> bytes;
    bool repeats = false;  ///< its last row stands for the missing pictures
  };

  struct Slot {
    bool taken = false;
    std::int64_t n = 0;                              ///< pictures in flight; 0: none
    std::vector<std::span<std::byte>> inputs;        ///< page-locked, for the largest batch
    std::vector<std::span<std::byte>> filled;        ///< of them, as `fill` left them
    std::unique_ptr<EncodedInputs> encoded;          ///< page-locked
    std::vector<Upload> uploads;                     ///< of n pictures, by input
    std::vector<std::byte*> outputs;                 ///< page-locked, for the largest batch
    std::vector<std::span<const std::byte>> result;  ///< of n pictures
    std::vector<DeviceAddresses> addresses;          ///< in the order of ExecutionPlan::buckets
    std::vector<BoundBucket> bound;                  ///< likewise
    Span upload;
    Span compute;
    Span download;
  };

  [[nodiscard]] std::size_t host_slot_bytes() const;
  void prepare(Slot& slot, std::byte* host, std::byte* staging);
  [[nodiscard]] Slot& take();
  void release(Slot& slot) noexcept;
  [[nodiscard]] static std::span<std::span<std::byte>> open(Slot& slot);
  void encode(Slot& slot, const BucketPlan& bucket, std::int64_t n) const;
  void enqueue(Slot& slot, std::int64_t n);
  void upload(Slot& slot, std::size_t bucket);
  void compute(Slot& slot, std::size_t bucket);
  void download(Slot& slot, std::size_t bucket);
  void collect(Slot& slot, StageTimes* times);
  void abandon(Slot& slot) noexcept;
  void add_times(const Slot& slot, StageTimes& times) const;
  void require_usable() const;
  void note_failure(const char* what);

  std::shared_ptr<const ExecutionPlan> plan_;
  std::vector<TensorSize> input_sizes_;
  std::vector<TensorSize> output_sizes_;
  std::shared_ptr<std::byte> memory_;  ///< on the device
  std::shared_ptr<std::byte> host_;
  std::unique_ptr<Stream> upload_;
  std::unique_ptr<Stream> compute_;
  std::unique_ptr<Stream> download_;
  std::vector<Slot> slots_;
  mutable std::mutex mutex_;            ///< guards what is enqueued, Slot::taken and failure_
  std::optional<std::string> failure_;  ///< the first one
};

/// A slot of a PipelinedContext while somebody has it, with the batch that it holds.
class PipelinedContext::Batch {
 public:
  /// Gives the slot back. Where the batch is still in flight, waits for it first.
  ~Batch();

  Batch(Batch&& other) noexcept
      : context_(other.context_),
        slot_(std::exchange(other.slot_, nullptr)),
        in_flight_(other.in_flight_) {}

  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  Batch& operator=(Batch&&) = delete;

  /// Pictures in it; 0 where there was nothing to enqueue.
  [[nodiscard]] std::int64_t size() const { return slot_->n; }

  /// Waits for the batch and hands out its outputs: in the order of ExecutionPlan::outputs, dense,
  /// byte_size(with_batch(desc, size())) bytes, valid as long as this object. Once, and only for a
  /// batch that is not empty.
  ///
  /// times   null, or what the stages' times are added to
  ///
  /// Throws DeviceError.
  [[nodiscard]] std::span<const std::span<const std::byte>> collect(StageTimes* times = nullptr);

 private:
  friend class PipelinedContext;

  Batch(PipelinedContext& context, Slot& slot) : context_(&context), slot_(&slot) {}

  PipelinedContext* context_;
  Slot* slot_;  ///< null: moved from
  bool in_flight_ = false;
};

template <typename Fill>
PipelinedContext::Batch PipelinedContext::submit(const Fill& fill) {
  Batch batch(*this, take());
  const std::int64_t n = fill(open(*batch.slot_));
  if (n == 0) return batch;
  enqueue(*batch.slot_, n);
  batch.in_flight_ = true;
  return batch;
}

}  // namespace fovea
