// BatchNorm -> Conv2d(w, b)  ==>  Conv2d(w * s, b + sum w * t),  s = gamma / sqrt(variance + eps),
// BatchNorm -> Dense(w, b)   ==>  Dense(w * s, b + sum w * t)    t = beta - mean * s
//
// and likewise of a Rescale, whose s and t are those of all channels.
//
// s belongs to input channels, so it scales the columns of the weights. Legal when all parameters
// are known, the convolution has no Relu on its input, and it sees no border, or t is 0: a border
// is 0 behind the norm, and would be -t / s before it. Taken where nothing else uses the norm,
// which is then gone. Computed in double and rounded once.
//
// The mean and scale of a NormalizeImage could move likewise, and stay: it is the step that makes
// floats of bytes, which a convolution reads, and without them would move as many bytes.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/passes/channel_scaling.h"
#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fold-input-norm";

/// The constants of a norm and of the Conv2d or Dense behind it.
struct Operands {
  ChannelScaling norm;
  const Constant* weights = nullptr;
  std::vector<float> bias;  ///< empty where the node behind has none
};

/// The node whose result `node`, a Conv2d or Dense, weighs; nullptr for other nodes.
const Node* weighed_by(const Graph& graph, const Node& node) {
  if (node.as<Conv2d>() == nullptr && node.as<Dense>() == nullptr) return nullptr;
  return &graph.node(node.inputs[0]);
}

/// Nothing where one of them is not a float32 Constant with data.
std::optional<Operands> constant_operands(const Graph& graph, const Node& norm, const Node& node) {
  const auto* conv = node.as<Conv2d>();
  const bool has_bias = conv != nullptr ? conv->bias : node.as<Dense>()->bias;
  auto parameters = channel_scaling(graph, norm);
  const Constant* weights = float_constant(graph, node.inputs[1]);
  auto bias = has_bias ? constant_floats(graph, node.inputs[2]) : std::vector<float>{};
  if (!parameters || weights == nullptr || !bias) return std::nullopt;
  return Operands{std::move(*parameters), weights, std::move(*bias)};
}

/// b[o] + sum over o's inputs of w[o,...,i] * shift[i].
std::vector<float> shifted_bias(const Constant& weights,
                                std::span<const float> bias,
                                std::int64_t groups,
                                std::span<const double> shift) {
  const Shape& shape = weights.desc.shape;
  const auto outputs = static_cast<std::size_t>(shape[0]);
  const auto columns = static_cast<std::size_t>(shape.back());
  const PinnedBytes bytes = weights.read();
  const auto* w = reinterpret_cast<const float*>(bytes.data());
  const std::size_t taps = bytes.size() / sizeof(float) / outputs;
  std::vector<float> result(outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t group = o / (outputs / static_cast<std::size_t>(groups));
    double sum = bias.empty() ? 0.0 : static_cast<double>(bias[o]);
    for (std::size_t i = 0; i < taps; ++i) sum += *w++ * shift[group * columns + i % columns];
    result[o] = static_cast<float>(sum);
  }
  return result;
}

bool has_border(const Node& node) {
  const auto* conv = node.as<Conv2d>();
  return conv != nullptr && conv->pads != Pads{0, 0, 0, 0};
}

std::string border_obstacle(const std::string& name) {
  return cat("the border is zero behind '", name, "', which shifts, but not before it");
}

/// Why `user` leaves mean and scale to the NormalizeImage before it.
std::string head_obstacle(const Graph& graph, const Node& head, const Node& user) {
  const auto& mean = head.as<NormalizeImage>()->constants.mean;
  const bool shifts = std::ranges::any_of(mean, [](float m) { return m != 0.0F; });
  if (shifts && has_border(user)) return border_obstacle(head.name);
  return cat("'",
             head.name,
             "' makes float32 of u8 in any case: without mean and scale, too, it would read ",
             byte_size(with_batch(graph.desc(head.inputs[0]), 1)),
             " and write ",
             byte_size(with_batch(head.outputs[0], 1)),
             " bytes for a picture");
}

/// The condition that keeps `user` from taking the norm `id` in, as far as the operators tell.
std::string obstacle(const Graph& graph, NodeId id, const Node& user, const ChannelScaling& norm) {
  const std::string& name = graph.node(id).name;
  if (graph.use_count(id) != 1) return cat("'", name, "' is also used elsewhere");
  const auto* conv = user.as<Conv2d>();
  if (conv == nullptr) return {};
  if (conv->input_activation != ActivationKind::kNone) return "an activation lies in between";
  const bool shifts = std::ranges::any_of(norm.shift, [](double t) { return t != 0.0; });
  return shifts && has_border(user) ? border_obstacle(name) : "";
}

/// The old node `id` on what the norm before it reads.
void take_in(Rewriter& rewriter, const Graph& graph, NodeId id, const Operands& operands) {
  const Node& node = graph.node(id);
  const auto& [norm, weights, bias] = operands;
  const auto* conv = node.as<Conv2d>();
  const std::int64_t groups = conv != nullptr ? conv->groups : 1;
  const auto shifted = shifted_bias(*weights, bias, groups, norm.shift);
  std::vector<Value> inputs{rewriter.map(graph.node(node.inputs[0]).inputs[0])};
  inputs.push_back(rewriter.add(
      scaled_columns(*weights, groups, norm.scale), {}, cat(node.name, "/input_scaled_weights")));
  inputs.push_back(rewriter.add(
      make_constant({weights->desc.shape[0]}, shifted), {}, cat(node.name, "/shifted_bias")));
  Op op = node.op;
  if (auto* with_bias = std::get_if<Conv2d>(&op)) with_bias->bias = true;
  if (auto* with_bias = std::get_if<Dense>(&op)) with_bias->bias = true;
  if (conv != nullptr && conv->residual) inputs.push_back(rewriter.map(node.inputs.back()));
  rewriter.copy_onto(id, std::move(op), std::move(inputs));
}

}  // namespace

bool fold_input_norm(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const Node* before = weighed_by(graph, node);
    if (before != nullptr && before->as<NormalizeImage>() != nullptr) {
      context.report.refuse(kName, node.name, head_obstacle(graph, *before, node));
    }
    if (before == nullptr || !scales_channels(*before)) {
      rewriter.copy(id);
      continue;
    }
    const std::optional<Operands> operands = constant_operands(graph, *before, node);
    const std::string reason = operands ? obstacle(graph, node.inputs[0].node, node, operands->norm)
                                        : "its parameters are not constant";
    if (!operands || !reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    take_in(rewriter, graph, id, *operands);
    context.report.take(kName, node.name, cat("took in '", before->name, "' before it"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
