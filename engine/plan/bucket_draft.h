// The steps and values of one bucket while their places in the arena are still open.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// A value, and the buffer that it lies in: the whole of it, or a channel slice.
struct DraftSlot {
  TensorDesc desc;
  Layout layout;
  std::size_t buffer = 0;  ///< index into BucketDraft::buffers
};

struct DraftStep {
  std::string name;
  NodeId node = kNoNode;
  Tactic tactic;
  std::vector<SlotId> inputs;
  std::vector<SlotId> outputs;
  MovedValue moved{};
};

struct BucketDraft {
  std::vector<DraftSlot> slots;
  std::vector<std::size_t> buffers;  ///< bytes
  std::vector<DraftStep> steps;
  std::vector<SlotId> inputs;
  std::vector<EncodeInput> encoders;  ///< of the inputs, in their order
  std::vector<SlotId> outputs;

  /// A value with a buffer of its own.
  SlotId new_slot(const TensorDesc& desc, const Layout& layout);

  /// A value in a buffer that is there.
  SlotId new_slot(const TensorDesc& desc, const Layout& layout, std::size_t buffer);

  /// A buffer that no value lies in yet.
  std::size_t new_buffer(std::size_t bytes);

  /// The input lies in the layout that the encoder writes, and in no other.
  void encode_input(SlotId slot, const Layout& layout, EncodeInput encoder);

  /// Of every value; Layout{} for kNoSlot.
  [[nodiscard]] std::vector<Layout> layouts_of(const std::vector<SlotId>& ids) const;
};

/// Lets outputs of steps take over the buffers of inputs that nobody reads afterwards, where their
/// tactics allow it (Tactic::aliases). Legal where
///
///   the step is the last that touches the input's buffer: slices and views of it included;
///   the step reads that buffer once, so that nothing changes under another of its inputs;
///   the output has a buffer of its own, no larger: neither a slice nor an output of the plan;
///   the input is no slice: its neighbours may be written already.
///
/// Outputs that lie in the buffer of such an input already have taken its slice over.
///
/// Reports the outputs that a tactic would place so: those that lie there and those that got
/// another buffer.
void share_in_place(BucketDraft& draft, Report& report);

/// Places the buffers in one arena: fills the plan's slots and sizes.
void place_in_arena(const BucketDraft& draft, BucketPlan& plan);

}  // namespace fovea
