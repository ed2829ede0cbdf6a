// NormalizeImage -> [N,H,W,3] -> Conv2d -> [N,H,W,6] -> MaxPool -> [N,H,W,6] -> Conv2d
//   ==>  (channels in multiples of 8)
// NormalizeImage -> [N,H,W,8] -> Conv2d -> [N,H,W,8] -> MaxPool -> [N,H,W,8] -> Conv2d
//
// Legal where whoever reads a padded value ignores the pad: a convolution by weights of zero, pools
// and activations by passing it on, everything else that reads slices by a Slice of the channels
// that there were. Producers are convolutions, by filters of zero, and NormalizeImage. Values that
// one operator passes on or adds are padded together or not at all, and only for a convolution to
// read. The pad holds act(0), a number: no reader sees it, but none may be NaN.
#include <algorithm>
#include <map>
#include <numeric>

#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "engine/passes/readers.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "pad-channels";

/// Whether zeros can be added to the weights of a convolution.
bool has_known_weights(const Graph& graph, const Node& node) {
  const auto* conv = node.as<Conv2d>();
  return conv != nullptr && conv->groups == 1 && conv->activation_channels == 0 &&
         float_constant(graph, node.inputs[1]) != nullptr &&
         (!conv->bias || float_constant(graph, node.inputs[2]) != nullptr);
}

/// Inputs whose channels are those of the result, one by one.
std::vector<std::size_t> passed_on(const Graph& graph, const Node& node) {
  const auto* conv = node.as<Conv2d>();
  if (conv != nullptr) {
    return conv->residual ? std::vector{node.inputs.size() - 1} : std::vector<std::size_t>{};
  }
  if (node.as<Add>() != nullptr) {
    const bool same = graph.desc(node.inputs[0]) == graph.desc(node.inputs[1]);
    return same ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{};
  }
  const bool passes = node.as<MaxPool>() != nullptr || node.as<AveragePool>() != nullptr ||
                      node.as<Relu>() != nullptr || node.as<Clip>() != nullptr ||
                      node.as<Tanh>() != nullptr || node.as<Sigmoid>() != nullptr;
  return passes ? std::vector<std::size_t>{0} : std::vector<std::size_t>{};
}

/// The pictures of a graph in groups that are padded together, and which groups are.
class Padding {
 public:
  Padding(const Graph& graph, const PassContext& context);

  /// Decides and reports. Returns whether anything is padded.
  bool decide(Report& report);

  [[nodiscard]] bool is_padded(Value value) const {
    return is_candidate(value) && padded_[root(value.node)];
  }

  [[nodiscard]] std::int64_t channels(Value value) const { return graph_.desc(value).shape[3]; }

  [[nodiscard]] std::int64_t padded_channels(Value value) const {
    return (channels(value) + alignment_ - 1) / alignment_ * alignment_;
  }

  /// Whether input i of the node is read with its pad.
  [[nodiscard]] bool takes_pad(const Node& node, std::size_t i) const {
    if (i == 0 && has_known_weights(graph_, node)) return true;
    const std::vector<std::size_t> inputs = passed_on(graph_, node);
    return std::ranges::find(inputs, i) != inputs.end();
  }

 private:
  [[nodiscard]] bool is_candidate(Value value) const {
    const Shape& shape = graph_.desc(value).shape;
    return shape.size() == 4 && shape[3] % alignment_ != 0 && value.output == 0;
  }

  [[nodiscard]] std::size_t root(NodeId id) const {
    auto at = static_cast<std::size_t>(id);
    while (parent_[at] != at) at = parent_[at];
    return at;
  }

  [[nodiscard]] std::string producer_obstacle(const Node& node) const;
  [[nodiscard]] std::string reader_obstacle(const Node& node, std::size_t i) const;
  void refuse(NodeId id, const std::string& reason);
  void ask_everyone();

  const Graph& graph_;
  const TargetTraits& traits_;
  std::int64_t alignment_;
  std::vector<std::size_t> parent_;             ///< union-find over nodes
  std::vector<bool> padded_;                    ///< of roots
  std::vector<bool> is_read_;                   ///< of roots: by a convolution
  std::map<std::size_t, std::string> reasons_;  ///< of roots: why not
};

Padding::Padding(const Graph& graph, const PassContext& context)
    : graph_(graph),
      traits_(context.traits),
      alignment_(context.traits.channel_alignment(context.precision)),
      parent_(graph.nodes().size()),
      padded_(graph.nodes().size(), false),
      is_read_(graph.nodes().size(), false) {
  std::iota(parent_.begin(), parent_.end(), 0);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    for (const std::size_t i : passed_on(graph, node)) {
      if (is_candidate({id, 0})) parent_[root(node.inputs[i].node)] = root(id);
    }
  }
}

std::string Padding::producer_obstacle(const Node& node) const {
  const auto* conv = node.as<Conv2d>();
  if (conv != nullptr) {
    if (!has_known_weights(graph_, node)) return cat("'", node.name, "' takes no filters of zero");
    return {};
  }
  if (node.as<NormalizeImage>() != nullptr || !passed_on(graph_, node).empty()) return {};
  return cat("'", node.name, "' (", op_name(node.op), ") gives no padded result");
}

std::string Padding::reader_obstacle(const Node& node, std::size_t i) const {
  if (takes_pad(node, i)) return {};
  if (node.as<Concat>() != nullptr) {
    return cat("the pad would lie between the channels that '", node.name, "' joins");
  }
  if (traits_.reads_slices && reads_slices(node.op)) return {};
  return cat("'", node.name, "' (", op_name(node.op), ") needs it dense");
}

void Padding::refuse(NodeId id, const std::string& reason) {
  if (!reason.empty()) reasons_.try_emplace(root(id), reason);
}

/// Collects what producers and readers object, and which groups convolutions read.
void Padding::ask_everyone() {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (is_candidate({id, 0})) {
      refuse(id, producer_obstacle(node));
      if (is_output(graph_, id)) refuse(id, cat("'", node.name, "' is an output of the graph"));
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Value input = node.inputs[i];
      if (!is_candidate(input)) continue;
      refuse(input.node, reader_obstacle(node, i));
      if (i == 0 && has_known_weights(graph_, node)) is_read_[root(input.node)] = true;
    }
  }
}

bool Padding::decide(Report& report) {
  ask_everyone();
  bool any = false;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (!is_candidate({id, 0}) || !is_read_[root(id)]) continue;
    const Node& node = graph_.node(id);
    const auto reason = reasons_.find(root(id));
    if (reason != reasons_.end()) {
      report.refuse(kName, node.name, reason->second);
      continue;
    }
    padded_[root(id)] = any = true;
    report.take(
        kName,
        node.name,
        cat("padded from ", channels({id, 0}), " to ", padded_channels({id, 0}), " channels"));
  }
  return any;
}

/// Writes the padded graph.
class PaddedGraph {
 public:
  PaddedGraph(const Graph& graph, const Padding& padding)
      : graph_(graph), padding_(padding), rewriter_(graph) {}

  Graph run();

 private:
  Value input(const Node& node, std::size_t i);
  Value with_zeros(Value constant, Shape shape, const std::string& name);
  void add_convolution(NodeId id);

  const Graph& graph_;
  const Padding& padding_;
  Rewriter rewriter_;
  std::map<NodeId, Value> slices_;  ///< the channels that there were, by what they are a part of
};

/// What the node reads: the padded value, or the part of it that the value was.
Value PaddedGraph::input(const Node& node, std::size_t i) {
  const Value old = node.inputs[i];
  if (!padding_.is_padded(old) || padding_.takes_pad(node, i)) return rewriter_.map(old);
  const auto [slice, is_new] = slices_.try_emplace(old.node);
  if (is_new) {
    slice->second = rewriter_.add(Slice{.size = padding_.channels(old)},
                                  {rewriter_.map(old)},
                                  cat(graph_.node(old).name, "/without_pad"));
  }
  return slice->second;
}

Value PaddedGraph::with_zeros(Value constant, Shape shape, const std::string& name) {
  const Constant& present = *float_constant(graph_, constant);
  if (present.desc.shape == shape) return rewriter_.map(constant);
  return rewriter_.add(zero_padded(present, std::move(shape)), {}, name);
}

void PaddedGraph::add_convolution(NodeId id) {
  const Node& node = graph_.node(id);
  const Conv2d& conv = *node.as<Conv2d>();
  Shape weights = graph_.desc(node.inputs[1]).shape;
  if (padding_.is_padded({id, 0})) weights[0] = padding_.padded_channels({id, 0});
  if (padding_.is_padded(node.inputs[0])) weights[3] = padding_.padded_channels(node.inputs[0]);
  std::vector<Value> inputs{input(node, 0),
                            with_zeros(node.inputs[1], weights, cat(node.name, "/padded_weights"))};
  if (conv.bias) {
    inputs.push_back(with_zeros(node.inputs[2], {weights[0]}, cat(node.name, "/padded_bias")));
  }
  if (conv.residual) inputs.push_back(input(node, node.inputs.size() - 1));
  rewriter_.copy_onto(id, conv, std::move(inputs));
}

Graph PaddedGraph::run() {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (has_known_weights(graph_, node)) {
      add_convolution(id);
      continue;
    }
    Op op = node.op;
    auto* normalize = std::get_if<NormalizeImage>(&op);
    if (normalize != nullptr && padding_.is_padded({id, 0})) {
      normalize->channels = padding_.padded_channels({id, 0});
    }
    std::vector<Value> inputs;
    inputs.reserve(node.inputs.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(input(node, i));
    rewriter_.copy_onto(id, std::move(op), std::move(inputs));
  }
  return rewriter_.finish();
}

}  // namespace

bool pad_channels(Graph& graph, PassContext& context) {
  if (context.traits.channel_alignment(context.precision) <= 1) {
    context.report.refuse(kName, {}, "the target asks for no multiple of channels");
    return false;
  }
  Padding padding(graph, context);
  if (!padding.decide(context.report)) return false;
  graph = PaddedGraph(graph, padding).run();
  return true;
}

}  // namespace fovea
