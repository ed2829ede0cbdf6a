// BatchNorm -> Conv2d(w, b)  ==>  Conv2d(w * s, b + sum w * t),  s = gamma / sqrt(variance + eps),
// BatchNorm -> Dense(w, b)   ==>  Dense(w * s, b + sum w * t)    t = beta - mean * s
//
// s belongs to input channels, so it scales the columns of the weights. Legal when all parameters
// are known, the convolution has no Relu on its input, and it sees no border, or t is 0: a border
// is 0 behind the norm, and would be -t / s before it. Taken where nothing else uses the norm,
// which is then gone. Computed in double and rounded once.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/passes/batch_norm_parameters.h"
#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fold-input-norm";

/// The constants of a norm and of the Conv2d or Dense behind it.
struct Operands {
  BatchNormParameters norm;
  const Constant* weights = nullptr;
  std::vector<float> bias;  ///< empty where the node behind has none
};

/// The norm whose result `node`, a Conv2d or Dense, weighs; nullptr where there is none.
const Node* norm_before(const Graph& graph, const Node& node) {
  if (node.as<Conv2d>() == nullptr && node.as<Dense>() == nullptr) return nullptr;
  const Node& before = graph.node(node.inputs[0]);
  return before.as<BatchNorm>() != nullptr ? &before : nullptr;
}

/// Nothing where one of them is not a float32 Constant with data.
std::optional<Operands> constant_operands(const Graph& graph, const Node& norm, const Node& node) {
  const auto* conv = node.as<Conv2d>();
  const bool has_bias = conv != nullptr ? conv->bias : node.as<Dense>()->bias;
  auto parameters = batch_norm_parameters(graph, norm);
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

/// The condition that keeps `user` from taking the norm `id` in, as far as the operators tell.
std::string obstacle(const Graph& graph,
                     NodeId id,
                     const Node& user,
                     const BatchNormParameters& norm) {
  const std::string& name = graph.node(id).name;
  if (graph.use_count(id) != 1) return cat("'", name, "' is also used elsewhere");
  const auto* conv = user.as<Conv2d>();
  if (conv == nullptr) return {};
  if (conv->input_activation != ActivationKind::kNone) return "an activation lies in between";
  const bool shifts = std::ranges::any_of(norm.shift, [](double t) { return t != 0.0; });
  if (shifts && conv->pads != Pads{0, 0, 0, 0}) {
    return cat("the border is zero behind '", name, "', which shifts, but not before it");
  }
  return {};
}

}  // namespace

bool fold_input_norm(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const Node* norm = norm_before(graph, node);
    if (norm == nullptr) {
      rewriter.copy(id);
      continue;
    }
    const std::optional<Operands> operands = constant_operands(graph, *norm, node);
    const std::string reason = operands ? obstacle(graph, node.inputs[0].node, node, operands->norm)
                                        : "its parameters are not constant";
    if (!operands || !reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    const auto& [parameters, weights, bias] = *operands;
    const auto* conv = node.as<Conv2d>();
    const std::int64_t groups = conv != nullptr ? conv->groups : 1;
    const auto shifted = shifted_bias(*weights, bias, groups, parameters.shift);
    std::vector<Value> inputs{rewriter.map(norm->inputs[0])};
    inputs.push_back(rewriter.add(scaled_columns(*weights, groups, parameters.scale),
                                  {},
                                  cat(node.name, "/input_scaled_weights")));
    inputs.push_back(rewriter.add(
        make_constant({weights->desc.shape[0]}, shifted), {}, cat(node.name, "/shifted_bias")));
    Op op = node.op;
    if (auto* with_bias = std::get_if<Conv2d>(&op)) with_bias->bias = true;
    if (auto* with_bias = std::get_if<Dense>(&op)) with_bias->bias = true;
    if (conv != nullptr && conv->residual) inputs.push_back(rewriter.map(node.inputs.back()));
    rewriter.copy_onto(id, std::move(op), std::move(inputs));
    context.report.take(kName, node.name, cat("took in '", norm->name, "' before it"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
