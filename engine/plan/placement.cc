#include "engine/plan/placement.h"

#include <algorithm>

#include "engine/core/require.h"

namespace fovea {

namespace {

bool reads_constant(const Graph& graph, const Node& node) {
  return std::ranges::any_of(
      node.inputs, [&](const Value& input) { return graph.node(input).as<Constant>() != nullptr; });
}

PlaceKind kind_by_operator(const Op& op) {
  if (std::holds_alternative<Concat>(op)) return PlaceKind::kConcat;
  if (std::holds_alternative<Slice>(op)) return PlaceKind::kSlice;
  if (std::holds_alternative<Reshape>(op) || std::holds_alternative<Identity>(op)) {
    return PlaceKind::kView;
  }
  return PlaceKind::kStep;
}

/// The dimension along which a Concat or a Slice works.
std::int64_t axis_of(const Node& node) {
  const auto* concat = node.as<Concat>();
  return concat != nullptr ? concat->axis : node.as<Slice>()->axis;
}

}  // namespace

Placement::Placement(const Graph& graph, const TargetTraits& traits)
    : graph_(graph), traits_(traits), kinds_(graph.nodes().size()), homes_(graph.nodes().size()) {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const auto n = static_cast<std::size_t>(id);
    homes_[n].resize(graph_.node(id).outputs.size());
    kinds_[n] = why_step(id).empty() ? kind_by_operator(graph_.node(id).op) : PlaceKind::kStep;
  }
  claim_homes();
  resolve_nested();
}

std::string Placement::why_step(NodeId id) const {
  const Node& node = graph_.node(id);
  const PlaceKind kind = kind_by_operator(node.op);
  if (kind == PlaceKind::kStep) return {};
  if (reads_constant(graph_, node)) return "an input is a constant";
  if (kind == PlaceKind::kView) return {};
  if (axis_of(node) + 1 != static_cast<std::int64_t>(node.outputs[0].shape.size())) {
    return "it is not along the channels";
  }
  return traits_.writes_slices ? "" : "the backend has no channel slices";
}

std::string Placement::obstacle(NodeId concat, std::size_t i) const {
  const Value input = graph_.node(concat).inputs[i];
  if (graph_.node(input).as<Input>() != nullptr) return "it is an input of the network";
  switch (kind(input.node)) {
    case PlaceKind::kSlice:
      return "it is a slice of another value";
    case PlaceKind::kView:
      return "it is a view of another value";
    default:
      break;
  }
  const auto& taken = home(input);
  if (!taken || *taken == home_of_input(concat, i)) return {};
  return cat("it lies in '", graph_.node(taken->whole).name, "' already");
}

Home Placement::home_of_input(NodeId concat, std::size_t i) const {
  const auto& nested = home({concat, 0});
  Home result = nested ? *nested : Home{concat, 0};
  const std::vector<Value>& inputs = graph_.node(concat).inputs;
  for (std::size_t before = 0; before < i; ++before) {
    result.channel_offset += graph_.desc(inputs[before]).shape.back();
  }
  return result;
}

/// Gives every value that can have one the home that the first Concat offers.
void Placement::claim_homes() {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (kind(id) != PlaceKind::kConcat) continue;
    const std::vector<Value>& inputs = graph_.node(id).inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      auto& place = homes_[static_cast<std::size_t>(inputs[i].node)]
                          [static_cast<std::size_t>(inputs[i].output)];
      if (!place && obstacle(id, i).empty()) place = home_of_input(id, i);
    }
  }
}

/// Until here a home names the Concat that gave it; from here on the outermost one around that.
void Placement::resolve_nested() {
  for (NodeId id = graph_.size() - 1; id >= 0; --id) {
    for (auto& place : homes_[static_cast<std::size_t>(id)]) {
      if (!place) continue;
      // A Concat comes after its inputs, so its own home is final already.
      if (const auto& outer = home({place->whole, 0})) {
        place = Home{outer->whole, outer->channel_offset + place->channel_offset};
      }
    }
  }
}

}  // namespace fovea
