#include "engine/plan/plan_dot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
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

/// Appends to a list of words.
void append(std::string& text, std::string_view what) {
  if (what.empty()) return;
  if (!text.empty()) text += ", ";
  text += what;
}

std::string fused_into(const Conv2d& conv) {
  std::string text;
  if (conv.input_activation != ActivationKind::kNone) {
    append(text, cat(activation_name(conv.input_activation), " before"));
  }
  if (conv.bias) append(text, "bias");
  if (conv.residual) append(text, "residual");
  append(text, activation_name(conv.activation.kind));
  if (conv.activation_channels != 0) {
    text += cat(" on the first ", conv.activation_channels, " channels");
  }
  return text;
}

/// "bias, residual, relu": what the node does besides its operator.
std::string fused_into(const Node& node) {
  std::string text;
  if (const auto* conv = node.as<Conv2d>()) {
    text = fused_into(*conv);
  } else if (const auto* separable = node.as<SeparableConv2d>()) {
    const std::string depthwise = fused_into(separable->depthwise);
    if (!depthwise.empty()) text = cat("depthwise: ", depthwise);
    append(text, fused_into(separable->pointwise));
  } else if (const auto* dense = node.as<Dense>()) {
    if (dense->bias) append(text, "bias");
    append(text, activation_name(dense->activation.kind));
  } else if (const auto* add = node.as<Add>()) {
    append(text, activation_name(add->activation.kind));
  } else if (const auto* pool = node.as<AveragePool>()) {
    append(text, activation_name(pool->activation.kind));
  } else if (const auto* best = node.as<TopK>(); best != nullptr && best->softmax) {
    append(text, "softmax");
  }
  return text;
}

/// The operator, spelled as the layers beside it are.
std::string type_of(const Node& node) {
  if (node.as<Conv2d>() != nullptr) return "Conv2D";
  if (node.as<SeparableConv2d>() != nullptr) return "SeparableConv2D";
  return std::string(op_name(node.op));
}

DotLabel label_of(const Graph& graph, const Node& node, const PlotOptions& options) {
  DotLabel label{.name = node.name, .type = type_of(node)};
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

/// From pale yellow to dark red, and what is readable on it.
struct Heat {
  std::string_view color;
  std::string_view text;
};

constexpr std::array<Heat, 6> kHeat{{{"#ffffcc", "black"},
                                     {"#fed976", "black"},
                                     {"#feb24c", "black"},
                                     {"#fc8d59", "black"},
                                     {"#d7301f", "white"},
                                     {"#7f0000", "white"}}};
constexpr Heat kPlace{"#e0e0e0", "black"};

/// The root spreads the many small shares.
const Heat& heat(double share, double largest) {
  const double level = largest > 0 ? std::sqrt(share / largest) : 0;
  return kHeat.at(std::min(kHeat.size() - 1, static_cast<std::size_t>(level * kHeat.size())));
}

/// Draws the nodes of a plan's graph, and for PlotStage::kPlan what the plan adds.
class PlanDrawing {
 public:
  PlanDrawing(const ExecutionPlan& plan,
              const BucketPlan& bucket,
              std::span<const double> microseconds,
              const PlotOptions& options)
      : bucket_(bucket),
        microseconds_(microseconds),
        options_(options),
        graph_(with_batch(plan.graph, bucket.batch)),
        total_(std::accumulate(microseconds.begin(), microseconds.end(), 0.0)),
        largest_(microseconds.empty() ? 0 : *std::ranges::max_element(microseconds)) {}

  std::string run();

 private:
  void draw_node(NodeId id, std::optional<std::size_t> step);
  void draw_moved(std::size_t step);
  void draw_edges();
  void show_time(DotLabel& label, std::size_t step) const;

  const BucketPlan& bucket_;
  std::span<const double> microseconds_;
  const PlotOptions& options_;
  Graph graph_;
  double total_;
  double largest_;
  std::set<std::pair<NodeId, NodeId>> moved_;  ///< edges with a step on them: value, reader
  std::string text_;
};

void PlanDrawing::show_time(DotLabel& label, std::size_t step) const {
  if (options_.stage == PlotStage::kPlan) {
    label.rows.push_back({"Tactic", bucket_.steps[step].tactic});
  }
  std::array<char, 32> share{};
  std::snprintf(
      share.data(), share.size(), ", %.1f %%", 100 * microseconds_[step] / std::max(total_, 1e-3));
  label.rows.push_back({"Time", cat(duration_text(microseconds_[step]), share.data())});
  const Heat& color = heat(microseconds_[step], largest_);
  label.color = color.color;
  label.text_color = color.text;
}

void PlanDrawing::draw_node(NodeId id, std::optional<std::size_t> step) {
  DotLabel label = label_of(graph_, graph_.node(id), options_);
  if (step) {
    show_time(label, *step);
  } else {
    label.color = kPlace.color;
    label.text_color = kPlace.text;
  }
  text_ += cat("  node", id, " [label=<", dot_label(label), ">];\n");
}

/// A conversion or a copy between its value and those that read the result.
void PlanDrawing::draw_moved(std::size_t step) {
  const PlannedStep& planned = bucket_.steps[step];
  DotLabel label{.name = planned.name, .type = "added"};
  show_time(label, step);
  text_ += cat("  step", step, " [label=<", dot_label(label), ">];\n");
  text_ += cat("  node", planned.moved.value.node, " -> step", step, ";\n");
  for (const NodeId reader : planned.moved.readers) {
    text_ += cat("  step", step, " -> node", reader, ";\n");
    moved_.emplace(planned.moved.value.node, reader);
  }
}

void PlanDrawing::draw_edges() {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    for (const Value& input : graph_.node(id).inputs) {
      if (!is_drawn(graph_.node(input)) || moved_.contains({input.node, id})) continue;
      text_ += cat("  node", input.node, " -> node", id, ";\n");
    }
  }
}

std::string PlanDrawing::run() {
  std::map<NodeId, std::size_t> step_of;
  for (std::size_t i = 0; i < bucket_.steps.size(); ++i) {
    if (bucket_.steps[i].node != kNoNode) {
      step_of[bucket_.steps[i].node] = i;
    } else if (options_.stage == PlotStage::kPlan) {
      draw_moved(i);
    }
  }
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (!is_drawn(graph_.node(id))) continue;
    const auto step = step_of.find(id);
    draw_node(id, step != step_of.end() ? std::optional(step->second) : std::nullopt);
  }
  draw_edges();
  return std::move(text_);
}

}  // namespace

std::string plan_statements(const ExecutionPlan& plan,
                            const BucketPlan& bucket,
                            std::span<const double> microseconds,
                            const PlotOptions& options) {
  require(microseconds.size() == bucket.steps.size(), "a time for every step is needed");
  return PlanDrawing(plan, bucket, microseconds, options).run();
}

std::string duration_text(double microseconds) {
  constexpr double kMilli = 1000;
  const bool is_short = microseconds < kMilli;
  std::array<char, 32> text{};
  std::snprintf(text.data(),
                text.size(),
                "%.1f %s",
                is_short ? microseconds : microseconds / kMilli,
                is_short ? "us" : "ms");
  return text.data();
}

}  // namespace fovea
