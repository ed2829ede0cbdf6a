#include "engine/plan/lowering.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/passes/readers.h"
#include "engine/plan/bucket_draft.h"
#include "engine/plan/placement.h"
#include "engine/plan/written_layout.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "place";

class Lowering {
 public:
  Lowering(const Graph& graph,
           const Backend& backend,
           TacticSelector& tactics,
           const PlanOptions& options,
           Report& report)
      : graph_(graph),
        backend_(backend),
        tactics_(tactics),
        options_(options),
        report_(report),
        traits_(backend.traits()),
        placement_(graph, traits_),
        readers_(readers(graph)),
        slots_of_(graph.nodes().size()) {}

  BucketPlan run(WeightStore& weights, std::int64_t batch);

 private:
  void prepare() const;
  [[nodiscard]] Layout likely_layout(NodeId id, const Layout& input) const;
  [[nodiscard]] OpSite site_of(NodeId id, std::vector<Layout> inputs) const;
  void lower_node(NodeId id);
  void lower_step(NodeId id);
  void lower_concat(NodeId id);
  void lower_slice(NodeId id);
  void lower_view(NodeId id);
  [[nodiscard]] std::vector<std::optional<Layout>> wanted_outputs(NodeId id) const;
  [[nodiscard]] bool leaves(Value value) const;
  [[nodiscard]] SlotId slot_for_output(Value value, const DraftStep& step, const OpSite& site);
  [[nodiscard]] SlotId slice_to_overwrite(Value value, const DraftStep& step) const;
  [[nodiscard]] bool is_needed_behind(NodeId id, std::size_t buffer) const;
  [[nodiscard]] std::size_t buffer_of(NodeId concat);
  SlotId shareable(NodeId id, bool may_be_slice);
  SlotId converted(Value value, const Layout& layout, NodeId reader);
  void copy(SlotId from, SlotId to, std::string name, MovedValue moved);
  [[nodiscard]] SlotId slot_of(Value value) const;
  void set_slots(NodeId id, std::vector<SlotId> slots);

  const Graph& graph_;
  const Backend& backend_;
  TacticSelector& tactics_;
  const PlanOptions& options_;
  Report& report_;
  const TargetTraits traits_;
  const Placement placement_;
  const std::vector<std::vector<NodeId>> readers_;  ///< by node
  BucketDraft draft_;
  std::vector<std::vector<SlotId>> slots_of_;       ///< by node, by output
  std::map<NodeId, std::size_t> concat_buffers_;    ///< of outermost Concats
  std::map<SlotId, std::string> tactic_of_;         ///< that writes the slot
  std::multimap<SlotId, std::size_t> conversions_;  ///< steps that put a slot into other layouts
};

SlotId Lowering::slot_of(Value value) const {
  const auto& slots = slots_of_[static_cast<std::size_t>(value.node)];
  return slots.empty() ? kNoSlot : slots[static_cast<std::size_t>(value.output)];
}

/// Whether the value is an output of the graph.
bool Lowering::leaves(Value value) const {
  return std::ranges::any_of(graph_.outputs(),
                             [&](const GraphOutput& output) { return output.value == value; });
}

void Lowering::set_slots(NodeId id, std::vector<SlotId> slots) {
  slots_of_[static_cast<std::size_t>(id)] = std::move(slots);
}

/// The buffer of an outermost Concat, which its first input begins.
std::size_t Lowering::buffer_of(NodeId concat) {
  const auto found = concat_buffers_.find(concat);
  if (found != concat_buffers_.end()) return found->second;
  const std::size_t buffer = draft_.new_buffer(byte_size(graph_.node(concat).outputs[0]));
  concat_buffers_.emplace(concat, buffer);
  return buffer;
}

void Lowering::copy(SlotId from, SlotId to, std::string name, MovedValue moved) {
  const DraftSlot& source = draft_.slots[from];
  draft_.steps.push_back({std::move(name),
                          kNoNode,
                          backend_.conversion(source.desc, source.layout, draft_.slots[to].layout),
                          {from},
                          {to},
                          std::move(moved)});
}

/// The value in another layout; converted once per layout. `reader` is kNoNode where it leaves.
SlotId Lowering::converted(Value value, const Layout& layout, NodeId reader) {
  const SlotId slot = slot_of(value);
  const DraftSlot from = draft_.slots[slot];
  if (from.layout == layout) return slot;
  const auto [first, last] = conversions_.equal_range(slot);
  const auto known = std::find_if(first, last, [&](const auto& conversion) {
    return draft_.slots[draft_.steps[conversion.second].outputs[0]].layout == layout;
  });
  const std::size_t index = known != last ? known->second : draft_.steps.size();
  if (known == last) {
    conversions_.emplace(slot, index);
    copy(slot, draft_.new_slot(from.desc, layout), value_name(graph_, value), {value, {}});
  }
  DraftStep& step = draft_.steps[index];
  if (reader != kNoNode) step.moved.readers.push_back(reader);
  return step.outputs[0];
}

/// Where the node's outputs should lie: where a Concat wants them, or dense where they leave.
std::vector<std::optional<Layout>> Lowering::wanted_outputs(NodeId id) const {
  std::vector<std::optional<Layout>> wanted;
  for (std::size_t i = 0; i < graph_.node(id).outputs.size(); ++i) {
    const Value value{id, static_cast<std::int32_t>(i)};
    if (const std::optional<Home>& home = placement_.home(value)) {
      const std::int64_t stride = graph_.node(home->whole).outputs[0].shape.back();
      wanted.emplace_back(Layout::sliced(stride, home->channel_offset));
    } else {
      wanted.push_back(leaves(value) ? std::optional<Layout>(Layout{}) : std::nullopt);
    }
  }
  return wanted;
}

/// Whether a node behind this one reads anything in the buffer, or it leaves the graph.
bool Lowering::is_needed_behind(NodeId id, std::size_t buffer) const {
  for (NodeId other = 0; other < id; ++other) {
    const auto& slots = slots_of_[static_cast<std::size_t>(other)];
    const bool lies_there = std::ranges::any_of(
        slots, [&](SlotId slot) { return slot != kNoSlot && draft_.slots[slot].buffer == buffer; });
    if (!lies_there) continue;
    const auto& read_by = readers_[static_cast<std::size_t>(other)];
    if (is_output(graph_, other) ||
        std::ranges::any_of(read_by, [id](NodeId reader) { return reader > id; })) {
      return true;
    }
  }
  return false;
}

/// The slice that the value can take over: an input that the step may overwrite and that nobody
/// needs any more, and no other part of its buffer either. Whole buffers are shared when all steps
/// are known (share_in_place()); a slice is another layout, which the value's readers must see.
SlotId Lowering::slice_to_overwrite(Value value, const DraftStep& step) const {
  const auto reads_in_place = [&](NodeId reader) { return reads_slices(graph_.node(reader).op); };
  if (!traits_.reads_slices || !step.tactic.writes_slices ||
      !std::ranges::all_of(readers_[static_cast<std::size_t>(value.node)], reads_in_place)) {
    return kNoSlot;
  }
  for (const Alias& alias : step.tactic.aliases) {
    const SlotId from = step.inputs.at(alias.input);
    const bool is_value = from == slot_of(graph_.node(value.node).inputs[alias.input]);
    if (from == kNoSlot || !is_value || alias.output != static_cast<std::size_t>(value.output)) {
      continue;
    }
    const DraftSlot& input = draft_.slots[from];
    const auto lies_there = [&](SlotId slot) {
      return slot != kNoSlot && draft_.slots[slot].buffer == input.buffer;
    };
    if (input.layout.kind == Layout::Kind::kSliced && input.desc == graph_.desc(value) &&
        std::ranges::count_if(step.inputs, lies_there) == 1 &&
        !is_needed_behind(value.node, input.buffer)) {
      return from;
    }
  }
  return kNoSlot;
}

/// A slice of a Concat's buffer where the value has its home there and the tactic can write it; the
/// slice that it overwrites where it can.
SlotId Lowering::slot_for_output(Value value, const DraftStep& step, const OpSite& site) {
  const TensorDesc& desc = graph_.desc(value);
  const auto output = static_cast<std::size_t>(value.output);
  const Layout layout = written_layout(step.tactic, output, site);
  if (!site.wanted_layout(output) && layout == Layout{}) {
    const SlotId slice = slice_to_overwrite(value, step);
    if (slice != kNoSlot) {
      return draft_.new_slot(desc, draft_.slots[slice].layout, draft_.slots[slice].buffer);
    }
  }
  const std::optional<Home>& home = placement_.home(value);
  if (!home || layout.kind != Layout::Kind::kSliced) return draft_.new_slot(desc, layout);
  return draft_.new_slot(desc, layout, buffer_of(home->whole));
}

void Lowering::lower_step(NodeId id) {
  const Node& node = graph_.node(id);
  if (const std::string why = placement_.why_step(id); !why.empty()) {
    report_.refuse(kName, node.name, why);
  }
  std::vector<SlotId> present;
  present.reserve(node.inputs.size());
  for (const Value& input : node.inputs) present.push_back(slot_of(input));
  const OpSite site = site_of(id, draft_.layouts_of(present));
  DraftStep step{node.name, id, tactics_.choose(site), {}, {}};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (present[i] == kNoSlot) {
      step.inputs.push_back(kNoSlot);
      continue;
    }
    const Layout& wanted_here = step.tactic.inputs[i];
    if (i < step.tactic.encoders.size() && step.tactic.encoders[i]) {
      draft_.encode_input(present[i], wanted_here, step.tactic.encoders[i]);
      step.inputs.push_back(present[i]);
      continue;
    }
    if (const Layout& lies = site.inputs[i]; lies != wanted_here) {
      report_.refuse(kName,
                     node.name,
                     cat("'",
                         value_name(graph_, node.inputs[i]),
                         "' is converted first: it is ",
                         to_string(lies),
                         ", and tactic ",
                         step.tactic.name,
                         " reads ",
                         to_string(wanted_here)));
    }
    step.inputs.push_back(converted(node.inputs[i], wanted_here, id));
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    step.outputs.push_back(slot_for_output({id, static_cast<std::int32_t>(i)}, step, site));
    tactic_of_[step.outputs.back()] = step.tactic.name;
  }
  set_slots(id, step.outputs);
  draft_.steps.push_back(std::move(step));
}

/// Inputs that do not lie in the Concat's buffer are copied there.
void Lowering::lower_concat(NodeId id) {
  const Node& node = graph_.node(id);
  const Home whole = placement_.home_of_input(id, 0);
  const std::int64_t stride = graph_.node(whole.whole).outputs[0].shape.back();
  const std::size_t buffer = buffer_of(whole.whole);
  std::size_t in_place = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Value input = node.inputs[i];
    const SlotId slot = slot_of(input);
    const Layout wanted = Layout::sliced(stride, placement_.home_of_input(id, i).channel_offset);
    if (draft_.slots[slot].buffer == buffer && draft_.slots[slot].layout == wanted) {
      ++in_place;
      continue;
    }
    const std::string name = value_name(graph_, input);
    std::string why = placement_.obstacle(id, i);
    if (why.empty()) why = cat("tactic ", tactic_of_[slot], " writes no slices");
    report_.refuse(kName, node.name, cat("'", name, "' is copied: ", why));
    copy(slot,
         draft_.new_slot(graph_.desc(input), wanted, buffer),
         cat(node.name, '/', name),
         {input, {id}});
  }
  report_.take(
      kName, node.name, cat(in_place, " of ", node.inputs.size(), " inputs are written in place"));
  const Layout layout = whole.whole == id ? Layout{} : Layout::sliced(stride, whole.channel_offset);
  set_slots(id, {draft_.new_slot(node.outputs[0], layout, buffer)});
}

/// A value whose bytes a place can share: converted to dense where the place cannot be in the
/// layout that is there.
SlotId Lowering::shareable(NodeId id, bool may_be_slice) {
  const Value input = graph_.node(id).inputs[0];
  const SlotId slot = slot_of(input);
  const Layout& layout = draft_.slots[slot].layout;
  if (layout == Layout{} || (may_be_slice && layout.kind == Layout::Kind::kSliced)) return slot;
  report_.refuse(
      kName, graph_.node(id).name, cat("its input is converted first: it is ", to_string(layout)));
  return converted(input, Layout{}, id);
}

void Lowering::lower_slice(NodeId id) {
  const Node& node = graph_.node(id);
  const DraftSlot whole = draft_.slots[shareable(id, true)];
  const bool is_slice = whole.layout.kind == Layout::Kind::kSliced;
  const std::int64_t stride = is_slice ? whole.layout.pixel_stride : whole.desc.shape.back();
  const std::int64_t offset = whole.layout.channel_offset + node.as<Slice>()->begin;
  const bool is_all = node.outputs[0] == whole.desc;
  set_slots(
      id,
      {draft_.new_slot(
          node.outputs[0], is_all ? whole.layout : Layout::sliced(stride, offset), whole.buffer)});
  report_.take(kName, node.name, cat("is a place in '", value_name(graph_, node.inputs[0]), "'"));
}

/// The input's bytes. An Identity is the very value, in whatever layout.
void Lowering::lower_view(NodeId id) {
  const Node& node = graph_.node(id);
  if (node.as<Identity>() != nullptr) {
    set_slots(id, {slot_of(node.inputs[0])});
  } else {
    const std::size_t buffer = draft_.slots[shareable(id, false)].buffer;
    set_slots(id, {draft_.new_slot(node.outputs[0], Layout{}, buffer)});
  }
  report_.take(kName, node.name, cat("is a view of '", value_name(graph_, node.inputs[0]), "'"));
}

void Lowering::lower_node(NodeId id) {
  switch (placement_.kind(id)) {
    case PlaceKind::kConcat:
      return lower_concat(id);
    case PlaceKind::kView:
      return lower_view(id);
    case PlaceKind::kSlice:
      return lower_slice(id);
    case PlaceKind::kStep:
      return lower_step(id);
  }
}

OpSite Lowering::site_of(NodeId id, std::vector<Layout> inputs) const {
  return {.graph = graph_,
          .node = graph_.node(id),
          .inputs = std::move(inputs),
          .threads = options_.threads,
          .exact_convolutions = options_.exact_convolutions,
          .tf32 = options_.precision == Precision::kTf32,
          .wanted = wanted_outputs(id)};
}

/// Where the node's output will lie if every place that it may have is taken.
///
/// input   where its first input will
Layout Lowering::likely_layout(NodeId id, const Layout& input) const {
  const Node& node = graph_.node(id);
  if (const std::optional<Home>& home = placement_.home({id, 0})) {
    return Layout::sliced(graph_.node(home->whole).outputs[0].shape.back(), home->channel_offset);
  }
  const PlaceKind kind = placement_.kind(id);
  if (kind == PlaceKind::kView) return node.as<Identity>() != nullptr ? input : Layout{};
  if (kind != PlaceKind::kSlice) return {};
  const TensorDesc& whole = graph_.desc(node.inputs[0]);
  if (node.outputs[0] == whole) return input;
  const bool is_slice = input.kind == Layout::Kind::kSliced;
  return Layout::sliced(is_slice ? input.pixel_stride : whole.shape.back(),
                        input.channel_offset + node.as<Slice>()->begin);
}

/// Tells the backend what it will be asked about, as far as that can be foreseen.
void Lowering::prepare() const {
  std::vector<Layout> likely(graph_.nodes().size());  // of every node's first output
  std::vector<OpSite> sites;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (node.inputs.empty()) continue;
    std::vector<Layout> inputs;
    inputs.reserve(node.inputs.size());
    for (const Value& input : node.inputs) {
      inputs.push_back(likely[static_cast<std::size_t>(input.node)]);
    }
    likely[static_cast<std::size_t>(id)] = likely_layout(id, inputs[0]);
    if (placement_.kind(id) == PlaceKind::kStep) sites.push_back(site_of(id, std::move(inputs)));
  }
  backend_.prepare(sites);
}

BucketPlan Lowering::run(WeightStore& weights, std::int64_t batch) {
  prepare();
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (node.as<Constant>() != nullptr) continue;
    if (node.as<Input>() != nullptr) {
      draft_.inputs.push_back(draft_.new_slot(node.outputs[0], {}));
      draft_.encoders.emplace_back();
      set_slots(id, {draft_.inputs.back()});
    } else {
      lower_node(id);
    }
  }
  for (const GraphOutput& output : graph_.outputs()) {
    const SlotId slot = slot_of(output.value);
    require(slot != kNoSlot, "an output must depend on an input");
    draft_.outputs.push_back(converted(output.value, Layout{}, kNoNode));
  }
  share_in_place(draft_, report_);

  BucketPlan plan;
  plan.batch = batch;
  plan.inputs = draft_.inputs;
  plan.encoders = draft_.encoders;
  plan.outputs = draft_.outputs;
  place_in_arena(draft_, plan);
  for (const DraftStep& step : draft_.steps) {
    const std::vector<Layout> inputs = draft_.layouts_of(step.inputs);
    const std::vector<Layout> outputs = draft_.layouts_of(step.outputs);
    plan.workspace_bytes = std::max(plan.workspace_bytes, step.tactic.workspace_bytes);
    plan.steps.push_back({step.name,
                          step.node,
                          step.tactic.name,
                          step.tactic.build({inputs, outputs, weights}),
                          step.inputs,
                          step.outputs,
                          step.moved});
  }
  return plan;
}

}  // namespace

BucketPlan lower(const Graph& graph,
                 const Backend& backend,
                 TacticSelector& tactics,
                 WeightStore& weights,
                 std::int64_t batch,
                 const PlanOptions& options,
                 Report& report) {
  return Lowering(graph, backend, tactics, options, report).run(weights, batch);
}

}  // namespace fovea
