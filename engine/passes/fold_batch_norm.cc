// Conv2d(w, b) -> BatchNorm  ==>  Conv2d(w * s, b * s + t),  s = gamma / sqrt(variance + eps),
// Dense(w, b) -> BatchNorm   ==>  Dense(w * s, b * s + t)    t = beta - mean * s
// and likewise of a Rescale, whose s and t are those of all channels.
//
// Legal when nothing else uses the producer's result, it has no activation or residual, and all
// parameters are known. Output channels are dimension 0 of both weights, so s scales whole rows.
// Computed in double and rounded once.
#include <optional>

#include "engine/core/require.h"
#include "engine/passes/channel_scaling.h"
#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fold-batch-norm";

/// b * s + t, for t the norm's shift.
std::vector<float> folded_bias(std::span<const float> bias, const ChannelScaling& norm) {
  std::vector<float> folded;
  for (std::size_t c = 0; c < norm.scale.size(); ++c) {
    const double before = bias.empty() ? 0.0 : static_cast<double>(bias[c]);
    folded.push_back(static_cast<float>(before * norm.scale[c] + norm.shift[c]));
  }
  return folded;
}

/// The condition that keeps `producer` from taking the norm in, or "" where nothing does.
std::string obstacle(const Graph& graph, NodeId producer) {
  const Node& node = graph.node(producer);
  const auto* conv = node.as<Conv2d>();
  const auto* dense = node.as<Dense>();
  if (conv == nullptr && dense == nullptr) {
    return cat("'", node.name, "' (", op_name(node.op), ") before it has no weights to scale");
  }
  const Activation& activation = conv != nullptr ? conv->activation : dense->activation;
  if (activation.kind != ActivationKind::kNone) return "an activation lies in between";
  if (conv != nullptr && conv->residual) return "a residual is added in between";
  if (graph.use_count(producer) != 1) return cat("'", node.name, "' is also used elsewhere");
  return {};
}

}  // namespace

bool fold_batch_norm(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!scales_channels(node)) {
      rewriter.copy(id);
      continue;
    }
    const Node& producer = graph.node(node.inputs[0]);
    std::string reason = obstacle(graph, node.inputs[0].node);
    const auto parameters = channel_scaling(graph, node);
    const Constant* weights = reason.empty() ? float_constant(graph, producer.inputs[1]) : nullptr;
    const auto bias = reason.empty() && producer.inputs.size() > 2
                          ? constant_floats(graph, producer.inputs[2])
                          : std::vector<float>{};
    if (!reason.empty() || !parameters || weights == nullptr || !bias) {
      if (reason.empty()) reason = "its parameters are not constant";
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    const std::vector<float> shifted = folded_bias(*bias, *parameters);
    const Value new_weights = rewriter.add(
        scaled_rows(*weights, parameters->scale), {}, cat(node.name, "/folded_weights"));
    const Value new_bias =
        rewriter.add(make_constant({static_cast<std::int64_t>(shifted.size())}, shifted),
                     {},
                     cat(node.name, "/folded_bias"));
    Op op = producer.op;
    if (auto* conv = std::get_if<Conv2d>(&op)) conv->bias = true;
    if (auto* dense = std::get_if<Dense>(&op)) dense->bias = true;
    rewriter.copy_onto(
        id, std::move(op), {rewriter.map(producer.inputs[0]), new_weights, new_bias});
    context.report.take(kName, node.name, cat("folded into '", producer.name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
