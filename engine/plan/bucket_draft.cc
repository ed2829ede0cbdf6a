#include "engine/plan/bucket_draft.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/core/require.h"
#include "engine/plan/memory_planner.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "in-place";
constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();

/// The last step that reads each buffer; kForever for what leaves the plan.
std::vector<std::size_t> last_reads(const BucketDraft& draft) {
  std::vector<std::size_t> last(draft.buffers.size(), 0);
  for (std::size_t s = 0; s < draft.steps.size(); ++s) {
    for (const SlotId slot : draft.steps[s].inputs) {
      if (slot != kNoSlot) last[draft.slots[slot].buffer] = s;
    }
  }
  for (const SlotId slot : draft.outputs) last[draft.slots[slot].buffer] = kForever;
  return last;
}

/// What keeps output `to` of the step from lying where its input `from` lies, or "".
std::string obstacle(const BucketDraft& draft,
                     const std::vector<std::size_t>& last_read,
                     std::size_t s,
                     SlotId from,
                     SlotId to) {
  const DraftSlot& input = draft.slots[from];
  const DraftSlot& output = draft.slots[to];
  const auto in_same_buffer = [&](SlotId other) {
    return other != kNoSlot && draft.slots[other].buffer == input.buffer;
  };
  if (last_read[input.buffer] == kForever) return "its input leaves the plan";
  if (last_read[input.buffer] != s) return "its input is read later";
  if (std::ranges::count_if(draft.steps[s].inputs, in_same_buffer) != 1) {
    return "it reads its input's buffer twice";
  }
  if (output.layout.kind == Layout::Kind::kSliced) return "it is written into a slice";
  if (input.layout.kind == Layout::Kind::kSliced) return "its input is a slice";
  if (last_read[output.buffer] == kForever) return "it leaves the plan";
  if (draft.buffers[output.buffer] > draft.buffers[input.buffer]) {
    return "it is larger than its input";
  }
  return {};
}

/// All that lies in one buffer moves into another one: slices and views, too.
void move_into(BucketDraft& draft,
               std::vector<std::size_t>& last_read,
               std::size_t given_up,
               std::size_t kept) {
  last_read[kept] = last_read[given_up];
  draft.buffers[given_up] = 0;
  for (DraftSlot& slot : draft.slots) {
    if (slot.buffer == given_up) slot.buffer = kept;
  }
}

}  // namespace

SlotId BucketDraft::new_slot(const TensorDesc& desc, const Layout& layout) {
  return new_slot(desc, layout, new_buffer(buffer_bytes(desc, layout)));
}

SlotId BucketDraft::new_slot(const TensorDesc& desc, const Layout& layout, std::size_t buffer) {
  slots.push_back({desc, layout, buffer});
  return slots.size() - 1;
}

std::size_t BucketDraft::new_buffer(std::size_t bytes) {
  buffers.push_back(bytes);
  return buffers.size() - 1;
}

void BucketDraft::encode_input(SlotId slot, const Layout& layout, EncodeInput encoder) {
  const auto input = std::ranges::find(inputs, slot);
  require(input != inputs.end(), "only what comes from the host can be encoded there");
  encoders[static_cast<std::size_t>(input - inputs.begin())] = std::move(encoder);
  slots[slot].layout = layout;
  buffers[slots[slot].buffer] = buffer_bytes(slots[slot].desc, layout);
}

std::vector<Layout> BucketDraft::layouts_of(const std::vector<SlotId>& ids) const {
  std::vector<Layout> layouts;
  layouts.reserve(ids.size());
  for (const SlotId slot : ids) {
    layouts.push_back(slot == kNoSlot ? Layout{} : slots[slot].layout);
  }
  return layouts;
}

void share_in_place(BucketDraft& draft, Report& report) {
  std::vector<std::size_t> last_read = last_reads(draft);
  for (std::size_t s = 0; s < draft.steps.size(); ++s) {
    const DraftStep& step = draft.steps[s];
    std::string refused;
    bool taken = false;
    for (const Alias& alias : step.tactic.aliases) {
      const SlotId from = step.inputs.at(alias.input);
      if (from == kNoSlot) continue;
      const SlotId to = step.outputs.at(alias.output);
      if (draft.slots[to].buffer == draft.slots[from].buffer) {
        taken = true;
        break;
      }
      refused = obstacle(draft, last_read, s, from, to);
      if (!refused.empty()) continue;
      move_into(draft, last_read, draft.slots[to].buffer, draft.slots[from].buffer);
      taken = true;
      break;
    }
    if (taken) {
      report.take(kName, step.name, "takes over its input's buffer");
    } else if (!refused.empty()) {
      report.refuse(kName, step.name, refused);
    }
  }
}

void place_in_arena(const BucketDraft& draft, BucketPlan& plan) {
  std::vector<BufferLifetime> lifetimes(draft.buffers.size());
  std::vector<bool> seen(draft.buffers.size(), false);
  for (std::size_t b = 0; b < draft.buffers.size(); ++b) lifetimes[b].bytes = draft.buffers[b];
  const auto touch = [&](SlotId slot, std::size_t step) {
    if (slot == kNoSlot) return;
    const std::size_t buffer = draft.slots[slot].buffer;
    BufferLifetime& life = lifetimes[buffer];
    if (!seen[buffer]) life.first = life.last = step;
    seen[buffer] = true;
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  // Inputs are written before the first step, outputs are read after the last.
  for (const SlotId slot : draft.inputs) touch(slot, 0);
  for (std::size_t s = 0; s < draft.steps.size(); ++s) {
    for (const SlotId slot : draft.steps[s].inputs) touch(slot, s);
    for (const SlotId slot : draft.steps[s].outputs) touch(slot, s);
  }
  for (const SlotId slot : draft.outputs) touch(slot, draft.steps.size());

  const ArenaPlan arena = plan_arena(lifetimes, kBufferAlignment);
  plan.arena_bytes = arena.bytes;
  plan.lower_bound = arena.lower_bound;
  for (std::size_t b = 0; b < draft.buffers.size(); ++b) {
    plan.buffers.push_back({arena.offsets[b], draft.buffers[b]});
  }
  for (const DraftSlot& slot : draft.slots) {
    const auto skip = static_cast<std::size_t>(slot.layout.channel_offset);
    plan.slots.push_back({slot.desc,
                          slot.layout,
                          arena.offsets[slot.buffer] + skip * element_size(slot.desc.dtype),
                          slot.buffer});
  }
}

}  // namespace fovea
