#include "engine/graph/layers.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

namespace fovea {

namespace {

std::size_t index(NodeId id) {
  return static_cast<std::size_t>(id);
}

/// The nodes of a layer, seen from outside.
struct Extent {
  std::vector<Value> inputs;
  std::vector<NodeId> trained;
  std::vector<NodeId> untrained;
};

/// Which nodes are results of layers, and what lies between them.
class LayerMap {
 public:
  explicit LayerMap(const Graph& graph) : graph_(graph), is_result_(graph.nodes().size()) {
    is_recorded_ = std::any_of(
        graph.nodes().begin(), graph.nodes().end(), [](const Node& n) { return !n.layer.empty(); });
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      is_result_[index(id)] = is_recorded_ ? !node.layer.empty() : depends_on_input(node);
    }
  }

  [[nodiscard]] bool is_result(NodeId id) const { return is_result_[index(id)]; }

  [[nodiscard]] std::string type(NodeId id) const {
    return is_recorded_ ? graph_.node(id).layer : std::string(op_name(graph_.node(id).op));
  }

  /// The layer whose result the node is; or, of another node, what it is made of.
  [[nodiscard]] Extent extent(NodeId result) const {
    Extent extent;
    std::map<std::pair<NodeId, std::int32_t>, NodeId> reader_of;
    std::unordered_set<NodeId> inside;
    std::vector<std::pair<NodeId, std::size_t>> path{{result, 0}};  // node, its next input
    while (!path.empty()) {
      const auto [id, next] = path.back();
      const Node& node = graph_.node(id);
      if (next == node.inputs.size()) {
        path.pop_back();
        continue;
      }
      ++path.back().second;
      const Value value = node.inputs[next];
      if (is_result(value.node)) {
        // x * sigmoid(x) inside an activation is one use of x; x + x is two.
        const auto reader = reader_of.try_emplace({value.node, value.output}, id);
        if (reader.first->second == id) extent.inputs.push_back(value);
      } else if (inside.insert(value.node).second) {
        add_parameter(extent, value.node, node, next);
        path.emplace_back(value.node, 0);
      }
    }
    return extent;
  }

 private:
  [[nodiscard]] bool depends_on_input(const Node& node) const {
    return node.as<Input>() != nullptr ||
           std::any_of(node.inputs.begin(), node.inputs.end(), [this](const Value& input) {
             return is_result(input.node);
           });
  }

  void add_parameter(Extent& extent, NodeId id, const Node& user, std::size_t input) const {
    const Node& node = graph_.node(id);
    if (node.as<Constant>() == nullptr || (is_recorded_ && !node.trainable)) return;
    const bool is_statistic = user.as<BatchNorm>() != nullptr && input >= 3;  // mean, variance
    (node.trainable.value_or(!is_statistic) ? extent.trained : extent.untrained).push_back(id);
  }

  const Graph& graph_;
  bool is_recorded_ = false;
  std::vector<bool> is_result_;
};

/// A layer on its way into the list.
struct Found {
  NodeId result = -1;
  Extent extent{};
  std::size_t depth = 0;
};

/// All layers that the outputs need, in the order in which a depth-first walk first meets them.
std::vector<Found> walk(const Graph& graph, const LayerMap& map) {
  std::vector<NodeId> to_visit;
  const auto visit_later = [&](const std::vector<Value>& inputs) {
    std::for_each(
        inputs.rbegin(), inputs.rend(), [&](Value input) { to_visit.push_back(input.node); });
  };
  std::vector<Found> found;
  std::vector<bool> seen(graph.nodes().size());
  const auto take = [&](NodeId id) {
    if (seen[index(id)]) return;
    seen[index(id)] = true;
    found.push_back({.result = id, .extent = map.extent(id)});
    visit_later(found.back().extent.inputs);
  };
  for (const GraphOutput& output : graph.outputs()) {
    if (map.is_result(output.value.node)) {
      to_visit.push_back(output.value.node);
    } else {
      visit_later(map.extent(output.value.node).inputs);
    }
    while (!to_visit.empty()) {
      const NodeId id = to_visit.back();
      to_visit.pop_back();
      take(id);
    }
  }
  // Inputs that no output needs come first among the last layers.
  const std::ptrdiff_t needed = std::ssize(found);
  for (const NodeId id : graph.inputs()) {
    if (map.is_result(id)) take(id);
  }
  std::rotate(found.begin(), found.begin() + needed, found.end());
  return found;
}

/// Gives each layer the length of its longest way to an output.
void measure_depth(const Graph& graph, std::vector<Found>& found) {
  std::vector<Found*> by_node(graph.nodes().size());
  for (Found& layer : found) by_node[index(layer.result)] = &layer;
  // Users come after what they use, so this meets every user first.
  std::for_each(by_node.rbegin(), by_node.rend(), [&](const Found* layer) {
    if (layer == nullptr) return;
    for (const Value& input : layer->extent.inputs) {
      Found& source = *by_node[index(input.node)];
      source.depth = std::max(source.depth, layer->depth + 1);
    }
  });
}

}  // namespace

std::vector<Layer> layers(const Graph& graph) {
  const LayerMap map(graph);
  std::vector<Found> found = walk(graph, map);
  measure_depth(graph, found);
  std::stable_sort(
      found.begin(), found.end(), [](const Found& a, const Found& b) { return a.depth > b.depth; });

  std::vector<std::size_t> place(graph.nodes().size());
  std::vector<Layer> layers;
  for (Found& layer : found) {
    place[index(layer.result)] = layers.size();
    std::vector<NodeId> parameters = std::move(layer.extent.trained);
    const std::size_t trainable = parameters.size();
    parameters.insert(
        parameters.end(), layer.extent.untrained.begin(), layer.extent.untrained.end());
    std::vector<LayerInput> inputs;
    inputs.reserve(layer.extent.inputs.size());
    for (const Value& input : layer.extent.inputs) {
      inputs.push_back({place[index(input.node)], input.output});  // deeper, so it has its place
    }
    layers.push_back({layer.result, map.type(layer.result), inputs, parameters, trainable});
  }
  return layers;
}

std::string keras_shape(const Shape& shape) {
  std::string text = "(";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text += ", ";
    text += size == kBatch ? "None" : std::to_string(size);
  }
  return text + ')';
}

std::string keras_shapes(std::span<const TensorDesc> descs) {
  if (descs.size() == 1) return keras_shape(descs[0].shape);
  std::string text = "[";
  for (const TensorDesc& desc : descs) {
    if (text.size() > 1) text += ", ";
    text += keras_shape(desc.shape);
  }
  return text + ']';
}

bool is_chain(const std::vector<Layer>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::vector<LayerInput>& inputs = layers[i].inputs;
    const bool follows = inputs.size() == 1 && inputs[0].layer + 1 == i;
    if (i == 0 ? !inputs.empty() : !follows) return false;
  }
  return true;
}

}  // namespace fovea
