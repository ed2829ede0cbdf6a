#include "engine/plan/plan_cost.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/usual_pictures.h"
#include "engine/graph/work.h"

namespace fovea {

namespace {

/// Bytes of the value itself, wherever it lies.
std::size_t value_bytes(const Slot& slot) {
  return slot.layout.kind == Layout::Kind::kOpaque ? slot.layout.bytes : byte_size(slot.desc);
}

/// Bytes that the node reads of its input `input`, which has `bytes`. Of room for packed pictures
/// they are those of usual pictures; how large the encoded table of these is does not count.
std::size_t read_bytes(const Graph& graph, const Node& node, Value input, std::size_t bytes) {
  if (resizing(node) == nullptr) return bytes;
  if (input != node.inputs[0]) return byte_size(graph.desc(input));
  const UsualPictures pictures = usual_pictures(graph, node);
  return static_cast<std::size_t>(pictures.count * pictures.picture_bytes);
}

template <typename T>
std::vector<T> distinct(const std::vector<T>& ids) {
  std::vector<T> once;
  for (const T& id : ids) {
    if (std::ranges::find(once, id) == once.end()) once.push_back(id);
  }
  return once;
}

std::size_t weight_bytes(const Graph& graph, const Node& node) {
  std::size_t bytes = 0;
  for (const Value& input : distinct(node.inputs)) {
    if (graph.node(input).as<Constant>() == nullptr) continue;
    const TensorDesc& desc = graph.desc(input);
    const std::size_t size = element_size(desc.dtype);
    bytes += byte_size(desc) / size * std::min(size, element_size(node.outputs[0].dtype));
  }
  return bytes;
}

/// What lies between the parts of a SeparableConv2d, where the tactic computes one after the other.
/// Such a tactic is called by both: "depthwise:runs+conv:simt-64x64".
std::size_t bytes_between_parts(const Graph& graph, const PlannedStep& step) {
  const Node& node = graph.node(step.node);
  const auto* separable = node.as<SeparableConv2d>();
  if (separable == nullptr || step.tactic.find('+') == std::string::npos) return 0;
  std::vector<TensorDesc> inputs;
  inputs.reserve(node.inputs.size());
  for (const Value& input : node.inputs) inputs.push_back(graph.desc(input));
  return byte_size(separable->between(inputs));
}

std::string in_units(double value, const char* unit) {
  constexpr std::array<const char*, 5> kPrefixes{"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  for (; value >= 1000 && prefix + 1 < kPrefixes.size(); ++prefix) value /= 1000;
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(),
                      text.size(),
                      prefix == 0 ? "%.0f %s%s" : "%.1f %s%s",
                      value,
                      kPrefixes.at(prefix),
                      unit);
  return text.data();
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  launches += other.launches;
  flops += other.flops;
  read_bytes += other.read_bytes;
  written_bytes += other.written_bytes;
  weight_bytes += other.weight_bytes;
  return *this;
}

std::vector<Cost> step_costs(const ExecutionPlan& plan, const BucketPlan& bucket) {
  const Graph graph = with_batch(plan.graph, bucket.batch);
  std::vector<Cost> costs;
  costs.reserve(bucket.steps.size());
  for (const PlannedStep& step : bucket.steps) {
    Cost& cost = costs.emplace_back();
    cost.launches = 1;
    for (const SlotId slot : step.outputs) cost.written_bytes += value_bytes(bucket.slots[slot]);
    const Node* node = step.node == kNoNode ? nullptr : &graph.node(step.node);
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const SlotId slot = step.inputs[i];
      const auto first = std::ranges::find(step.inputs, slot) - step.inputs.begin();
      if (slot == kNoSlot || std::cmp_less(first, i)) continue;
      const std::size_t bytes = value_bytes(bucket.slots[slot]);
      cost.read_bytes += node == nullptr ? bytes : read_bytes(graph, *node, node->inputs[i], bytes);
    }
    if (node == nullptr) continue;
    cost.flops = flops(graph, *node);
    cost.weight_bytes = weight_bytes(graph, *node);
    if (const std::size_t between = bytes_between_parts(graph, step); between != 0) {
      ++cost.launches;
      cost.read_bytes += between;
      cost.written_bytes += between;
    }
  }
  return costs;
}

std::vector<Cost> node_costs(const Graph& graph) {
  std::vector<Cost> costs(graph.nodes().size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.as<Input>() != nullptr || node.as<Constant>() != nullptr) continue;
    Cost& cost = costs[static_cast<std::size_t>(id)];
    cost.launches = 1;
    cost.flops = flops(graph, node);
    cost.weight_bytes = weight_bytes(graph, node);
    for (const Value& input : distinct(node.inputs)) {
      if (graph.node(input).as<Constant>() != nullptr) continue;
      cost.read_bytes += read_bytes(graph, node, input, byte_size(graph.desc(input)));
    }
    for (const TensorDesc& output : node.outputs) cost.written_bytes += byte_size(output);
  }
  return costs;
}

Cost total(std::span<const Cost> costs) {
  Cost sum;
  for (const Cost& cost : costs) sum += cost;
  return sum;
}

std::string to_string(const Cost& cost) {
  const std::size_t bytes = cost.read_bytes + cost.written_bytes + cost.weight_bytes;
  return cat(cost.launches,
             " launches, ",
             in_units(static_cast<double>(cost.flops), "FLOP"),
             ", ",
             in_units(static_cast<double>(bytes), "B"),
             " moved");
}

}  // namespace fovea
