#include "engine/plan/lowering.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/plan/memory_planner.h"

namespace fovea {

namespace {

/// A slot while its place is still open.
struct OpenSlot {
  TensorDesc desc;
  Layout layout;
  std::size_t buffer = 0;  ///< slots of one concatenation, or aliased ones, share a buffer
};

struct OpenStep {
  std::string name;
  NodeId node = kNoNode;
  Tactic tactic;
  std::vector<SlotId> inputs;
  std::vector<SlotId> outputs;
};

/// Where a value should be written because a Concat wants it there.
struct SliceWish {
  NodeId concat = -1;
  std::int64_t channel_offset = 0;
};

class Lowering {
 public:
  Lowering(const Graph& graph, const Backend& backend, const PlanOptions& options)
      : graph_(graph), backend_(backend), options_(options), slots_of_(graph.nodes().size()) {}

  BucketPlan run(WeightStore& weights, std::int64_t batch);

 private:
  void lower_node(NodeId id);
  void lower_concat(NodeId id);
  [[nodiscard]] Tactic choose(const OpSite& site) const;
  [[nodiscard]] bool concat_by_slices(NodeId id) const;
  [[nodiscard]] std::optional<SliceWish> wish_for(Value value) const;
  SlotId slice_slot(NodeId concat, const TensorDesc& desc, std::int64_t channel_offset);
  SlotId converted(SlotId slot, const Layout& layout, const std::string& name);
  SlotId new_slot(const TensorDesc& desc, const Layout& layout);
  [[nodiscard]] SlotId slot_of(Value value) const;
  [[nodiscard]] std::vector<Layout> layouts_of(const std::vector<SlotId>& slots) const;
  void share_aliases();
  void place(BucketPlan& plan);

  const Graph& graph_;
  const Backend& backend_;
  const PlanOptions& options_;
  std::vector<std::vector<SlotId>> slots_of_;  ///< by node, by output
  std::vector<OpenSlot> slots_;
  std::vector<std::size_t> buffers_;  ///< bytes
  std::vector<OpenStep> steps_;
  std::map<NodeId, std::size_t> concat_buffers_;
  std::map<std::pair<SlotId, std::string>, SlotId> conversions_;
  std::vector<SlotId> pinned_;  ///< inputs and outputs: alive during the whole run
};

SlotId Lowering::slot_of(Value value) const {
  const auto& slots = slots_of_[static_cast<std::size_t>(value.node)];
  return slots.empty() ? kNoSlot : slots[static_cast<std::size_t>(value.output)];
}

std::vector<Layout> Lowering::layouts_of(const std::vector<SlotId>& slots) const {
  std::vector<Layout> layouts;
  layouts.reserve(slots.size());
  for (const SlotId slot : slots) {
    layouts.push_back(slot == kNoSlot ? Layout{} : slots_[slot].layout);
  }
  return layouts;
}

SlotId Lowering::new_slot(const TensorDesc& desc, const Layout& layout) {
  buffers_.push_back(buffer_bytes(desc, layout));
  slots_.push_back({desc, layout, buffers_.size() - 1});
  return slots_.size() - 1;
}

SlotId Lowering::slice_slot(NodeId concat, const TensorDesc& desc, std::int64_t channel_offset) {
  const TensorDesc& whole = graph_.node(concat).outputs[0];
  const auto [entry, is_new] = concat_buffers_.try_emplace(concat, buffers_.size());
  if (is_new) buffers_.push_back(byte_size(whole));
  slots_.push_back({desc, Layout::sliced(whole.shape.back(), channel_offset), entry->second});
  return slots_.size() - 1;
}

/// The slot's content in another layout; converted once per layout.
SlotId Lowering::converted(SlotId slot, const Layout& layout, const std::string& name) {
  const OpenSlot from = slots_[slot];
  if (from.layout == layout) return slot;
  const auto [entry, is_new] = conversions_.try_emplace({slot, to_string(layout)}, kNoSlot);
  if (!is_new) return entry->second;
  entry->second = new_slot(from.desc, layout);
  steps_.push_back({name,
                    kNoNode,
                    backend_.conversion(from.desc, from.layout, layout),
                    {slot},
                    {entry->second}});
  return entry->second;
}

/// The tactic whose inputs need the fewest bytes converted; the backend's order decides ties.
Tactic Lowering::choose(const OpSite& site) const {
  std::vector<Tactic> tactics = backend_.tactics(site);
  if (tactics.empty()) {
    throw Unsupported(cat(backend_.name(),
                          " has no ",
                          op_name(site.node.op),
                          " for node '",
                          site.node.name,
                          "' (",
                          to_string(site.node.outputs[0]),
                          ")"));
  }
  const auto cost = [&](const Tactic& tactic) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
      if (site.constant(i) != nullptr || tactic.inputs[i] == site.inputs[i]) continue;
      bytes += byte_size(site.input(i));
    }
    return bytes;
  };
  return *std::min_element(tactics.begin(), tactics.end(), [&](const Tactic& a, const Tactic& b) {
    return cost(a) < cost(b);
  });
}

/// Whether a Concat is only a place: its inputs are written (or copied) into slices of its buffer.
bool Lowering::concat_by_slices(NodeId id) const {
  const auto* concat = graph_.node(id).as<Concat>();
  if (concat == nullptr || !backend_.traits().writes_slices) return false;
  const auto rank = static_cast<std::int64_t>(graph_.node(id).outputs[0].shape.size());
  return concat->axis == rank - 1;
}

std::optional<SliceWish> Lowering::wish_for(Value value) const {
  if (graph_.use_count(value.node) != 1) return std::nullopt;
  for (NodeId id = value.node + 1; id < graph_.size(); ++id) {
    if (!concat_by_slices(id)) continue;
    std::int64_t offset = 0;
    for (const Value& input : graph_.node(id).inputs) {
      if (input == value) return SliceWish{id, offset};
      offset += graph_.desc(input).shape.back();
    }
  }
  return std::nullopt;
}

void Lowering::lower_concat(NodeId id) {
  const Node& node = graph_.node(id);
  std::int64_t offset = 0;
  for (const Value& input : node.inputs) {
    const TensorDesc& desc = graph_.desc(input);
    const SlotId slot = slot_of(input);
    require(slot != kNoSlot, "a Concat of constants was not folded");
    const Layout wanted = Layout::sliced(node.outputs[0].shape.back(), offset);
    const auto buffer = concat_buffers_.find(id);
    const bool in_place = buffer != concat_buffers_.end() &&
                          slots_[slot].buffer == buffer->second && slots_[slot].layout == wanted;
    if (!in_place) {
      const SlotId slice = slice_slot(id, desc, offset);
      steps_.push_back({cat(node.name, '/', value_name(graph_, input)),
                        kNoNode,
                        backend_.conversion(desc, slots_[slot].layout, wanted),
                        {slot},
                        {slice}});
    }
    offset += desc.shape.back();
  }
  slots_.push_back({node.outputs[0], Layout{}, concat_buffers_.at(id)});
  slots_of_[static_cast<std::size_t>(id)] = {slots_.size() - 1};
}

void Lowering::lower_node(NodeId id) {
  const Node& node = graph_.node(id);
  std::vector<Layout> present;
  for (const Value& input : node.inputs) {
    const SlotId slot = slot_of(input);
    present.push_back(slot == kNoSlot ? Layout{} : slots_[slot].layout);
  }
  const OpSite site{
      graph_, node, std::move(present), options_.threads, options_.exact_convolutions};
  OpenStep step{node.name, id, choose(site), {}, {}};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const SlotId slot = slot_of(node.inputs[i]);
    step.inputs.push_back(
        slot == kNoSlot
            ? kNoSlot
            : converted(slot, step.tactic.inputs[i], value_name(graph_, node.inputs[i])));
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const Layout& layout = step.tactic.outputs[i];
    const auto wish = step.tactic.writes_slices && layout.kind == Layout::Kind::kDense
                          ? wish_for({id, static_cast<std::int32_t>(i)})
                          : std::nullopt;
    step.outputs.push_back(wish ? slice_slot(wish->concat, node.outputs[i], wish->channel_offset)
                                : new_slot(node.outputs[i], layout));
  }
  slots_of_[static_cast<std::size_t>(id)] = step.outputs;
  steps_.push_back(std::move(step));
}

/// Lets outputs take over the buffer of an input that nobody reads afterwards.
void Lowering::share_aliases() {
  std::vector<std::size_t> last_use(buffers_.size(), 0);
  std::vector<std::size_t> slots_in(buffers_.size(), 0);
  constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();
  for (const OpenSlot& slot : slots_) ++slots_in[slot.buffer];
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (const SlotId slot : steps_[s].inputs) {
      if (slot != kNoSlot) last_use[slots_[slot].buffer] = s;
    }
  }
  for (const SlotId slot : pinned_) last_use[slots_[slot].buffer] = kForever;

  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (const Alias& alias : steps_[s].tactic.aliases) {
      const SlotId input = steps_[s].inputs.at(alias.input);
      if (input == kNoSlot) continue;
      OpenSlot& output = slots_[steps_[s].outputs.at(alias.output)];
      const std::size_t from = slots_[input].buffer;
      const auto same_buffer = [&](SlotId other) {
        return other != kNoSlot && slots_[other].buffer == from;
      };
      // A slice keeps the place that its Concat gave it, and a pinned buffer its content. An input
      // that is read twice must not change under the second reader.
      const bool legal =
          last_use[from] == s && slots_in[output.buffer] == 1 &&
          last_use[output.buffer] != kForever &&
          slots_[input].layout.kind != Layout::Kind::kSliced &&
          std::count_if(steps_[s].inputs.begin(), steps_[s].inputs.end(), same_buffer) == 1 &&
          buffers_[output.buffer] <= buffers_[from];
      if (!legal) continue;
      last_use[from] = last_use[output.buffer];
      ++slots_in[from];
      buffers_[output.buffer] = 0;
      output.buffer = from;
      break;
    }
  }
}

void Lowering::place(BucketPlan& plan) {
  std::vector<BufferLifetime> lifetimes(buffers_.size());
  std::vector<bool> seen(buffers_.size(), false);
  for (std::size_t b = 0; b < buffers_.size(); ++b) lifetimes[b].bytes = buffers_[b];
  const auto touch = [&](SlotId slot, std::size_t step) {
    if (slot == kNoSlot) return;
    BufferLifetime& life = lifetimes[slots_[slot].buffer];
    if (!seen[slots_[slot].buffer]) life.first = life.last = step;
    seen[slots_[slot].buffer] = true;
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (const SlotId slot : plan.inputs) touch(slot, 0);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (const SlotId slot : steps_[s].inputs) touch(slot, s);
    for (const SlotId slot : steps_[s].outputs) touch(slot, s);
  }
  for (const SlotId slot : plan.outputs) touch(slot, steps_.size());

  const ArenaPlan arena = plan_arena(lifetimes, kBufferAlignment);
  plan.arena_bytes = arena.bytes;
  plan.lower_bound = arena.lower_bound;
  for (const OpenSlot& slot : slots_) {
    const auto skip = static_cast<std::size_t>(slot.layout.channel_offset);
    plan.slots.push_back({slot.desc,
                          slot.layout,
                          arena.offsets[slot.buffer] + skip * element_size(slot.desc.dtype)});
  }
}

BucketPlan Lowering::run(WeightStore& weights, std::int64_t batch) {
  BucketPlan plan;
  plan.batch = batch;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (node.as<Constant>() != nullptr) continue;
    if (node.as<Input>() != nullptr) {
      slots_of_[static_cast<std::size_t>(id)] = {new_slot(node.outputs[0], {})};
      plan.inputs.push_back(slots_of_[static_cast<std::size_t>(id)][0]);
    } else if (concat_by_slices(id)) {
      lower_concat(id);
    } else {
      lower_node(id);
    }
  }
  for (const GraphOutput& output : graph_.outputs()) {
    const SlotId slot = slot_of(output.value);
    require(slot != kNoSlot, "an output must depend on an input");
    plan.outputs.push_back(converted(slot, Layout{}, output.name));
  }
  pinned_ = plan.outputs;
  share_aliases();
  place(plan);

  for (const OpenStep& step : steps_) {
    const std::vector<Layout> inputs = layouts_of(step.inputs);
    const std::vector<Layout> outputs = layouts_of(step.outputs);
    plan.workspace_bytes = std::max(plan.workspace_bytes, step.tactic.workspace_bytes);
    plan.steps.push_back({step.name,
                          step.node,
                          step.tactic.name,
                          step.tactic.build({inputs, outputs, weights}),
                          step.inputs,
                          step.outputs});
  }
  return plan;
}

}  // namespace

BucketPlan lower(const Graph& graph,
                 const Backend& backend,
                 WeightStore& weights,
                 std::int64_t batch,
                 const PlanOptions& options) {
  return Lowering(graph, backend, options).run(weights, batch);
}

}  // namespace fovea
