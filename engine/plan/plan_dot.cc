#include "engine/plan/plan_dot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/dot_label.h"
#include "engine/graph/layers.h"

namespace fovea {

namespace {

std::string_view activation_name(ActivationKind kind) {
  constexpr std::array<std::string_view, 5> kNames{"", "relu", "clip", "tanh", "sigmoid"};
  return kNames.at(static_cast<std::size_t>(kind));
}

/// "bias, residual, relu": what the node does besides its operator.
std::string fused_into(const Node& node) {
  std::string text;
  const auto append = [&](std::string_view what) {
    if (what.empty()) return;
    if (!text.empty()) text += ", ";
    text += what;
  };
  if (const auto* conv = node.as<Conv2d>()) {
    if (conv->input_activation != ActivationKind::kNone) {
      append(cat(activation_name(conv->input_activation), " before"));
    }
    if (conv->bias) append("bias");
    if (conv->residual) append("residual");
    append(activation_name(conv->activation.kind));
    if (conv->activation_channels != 0) {
      text += cat(" on the first ", conv->activation_channels, " channels");
    }
  } else if (const auto* dense = node.as<Dense>()) {
    if (dense->bias) append("bias");
    append(activation_name(dense->activation.kind));
  } else if (const auto* add = node.as<Add>()) {
    append(activation_name(add->activation.kind));
  } else if (const auto* pool = node.as<AveragePool>()) {
    append(activation_name(pool->activation.kind));
  } else if (const auto* best = node.as<TopK>(); best != nullptr && best->softmax) {
    append("softmax");
  }
  return text;
}

DotLabel label_of(const Graph& graph, const Node& node, const PlotOptions& options) {
  DotLabel label{.name = node.name, .type = std::string(op_name(node.op))};
  if (std::string fused = fused_into(node); !fused.empty()) {
    label.rows.push_back({"Fused", std::move(fused)});
  }
  if (options.show_shapes && !node.inputs.empty()) {
    label.cells.push_back({"Input shape", keras_shapes(std::vector{graph.desc(node.inputs[0])})});
  }
  if (options.show_shapes) label.cells.push_back({"Output shape", keras_shapes(node.outputs)});
  if (options.show_dtype) {
    label.cells.push_back({"Output dtype", std::string(keras_dtype(node.outputs.at(0).dtype))});
  }
  return label;
}

bool is_drawn(const Node& node) {
  return node.as<Constant>() == nullptr;
}

std::string statement(NodeId id, const DotLabel& label) {
  return cat("  node", id, " [label=<", dot_label(label), ">];\n");
}

std::string edges(const Graph& graph) {
  std::string text;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Value& input : graph.node(id).inputs) {
      if (is_drawn(graph.node(input))) text += cat("  node", input.node, " -> node", id, ";\n");
    }
  }
  return text;
}

/// "12.3 us, 4.5 %".
std::string time_text(double microseconds, double total) {
  std::array<char, 64> text{};
  std::snprintf(text.data(),
                text.size(),
                "%.1f us, %.1f %%",
                microseconds,
                100 * microseconds / std::max(total, 1e-3));
  return text.data();
}

/// From pale yellow to dark red.
constexpr std::array<std::string_view, 6> kHeat{
    "#ffffcc", "#fed976", "#feb24c", "#fc6d33", "#e31a1c", "#800026"};

/// The root spreads the many small shares.
std::size_t heat(double share, double largest) {
  const double level = largest > 0 ? std::sqrt(share / largest) : 0;
  return std::min(kHeat.size() - 1, static_cast<std::size_t>(level * kHeat.size()));
}

}  // namespace

std::string optimised_statements(const Graph& graph, const PlotOptions& options) {
  std::string text;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (is_drawn(node)) text += statement(id, label_of(graph, node, options));
  }
  return text + edges(graph);
}

std::string plan_statements(const ExecutionPlan& plan,
                            const BucketPlan& bucket,
                            std::span<const double> microseconds,
                            const PlotOptions& options) {
  require(microseconds.size() == bucket.steps.size(), "a time for every step is needed");
  const double total = std::accumulate(microseconds.begin(), microseconds.end(), 0.0);
  const double largest = microseconds.empty() ? 0 : *std::ranges::max_element(microseconds);
  const auto show_time = [&](DotLabel& label, std::size_t step) {
    label.rows.push_back({"Tactic", bucket.steps[step].tactic});
    label.rows.push_back({"Time", time_text(microseconds[step], total)});
    const std::size_t level = heat(microseconds[step], largest);
    label.color = kHeat.at(level);
    label.text_color = level < 3 ? "black" : "white";
  };

  constexpr std::size_t kNoStep = static_cast<std::size_t>(-1);
  const Graph graph = with_batch(plan.graph, bucket.batch);
  std::vector<std::size_t> step_of(graph.nodes().size(), kNoStep);
  std::string added;
  for (std::size_t i = 0; i < bucket.steps.size(); ++i) {
    const PlannedStep& step = bucket.steps[i];
    if (step.node != kNoNode) {
      step_of[static_cast<std::size_t>(step.node)] = i;
      continue;
    }
    DotLabel label{.name = step.name, .type = "added"};
    show_time(label, i);
    added += cat("  step", i, " [label=<", dot_label(label), ">];\n");
    const NodeId source = graph.find(step.name.substr(step.name.rfind('/') + 1));
    const NodeId named = graph.find(step.name);
    if (const NodeId from = named >= 0 ? named : source; from >= 0) {
      added += cat("  node", from, " -> step", i, " [style=dashed];\n");
    }
  }
  std::string text;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!is_drawn(node)) continue;
    DotLabel label = label_of(graph, node, options);
    const std::size_t step = step_of[static_cast<std::size_t>(id)];
    if (step != kNoStep) {
      show_time(label, step);
    } else {
      label.color = "#e0e0e0";
      label.text_color = "black";
    }
    text += statement(id, label);
  }
  return text + edges(graph) + added;
}

}  // namespace fovea
