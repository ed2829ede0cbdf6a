#include <numeric>

#include <fovea/describe.h>

#include "engine/api/classify_graph.h"
#include "engine/api/compile.h"
#include "engine/api/model_graph.h"
#include "engine/core/processor_share.h"
#include "engine/core/require.h"
#include "engine/graph/dot_label.h"
#include "engine/graph/layer_dot.h"
#include "engine/graph/summary.h"
#include "engine/plan/plan_dot.h"
#include "engine/runtime/step_times.h"

namespace fovea {

std::string summary(const ModelGraph& graph, std::string_view name, int columns) {
  return summary(ModelGraphAccess::graph(graph), name, columns);
}

namespace {

/// Long enough for a hundred runs of ResNet50.
constexpr double kMeasureSeconds = 2;

std::string cluster(std::string_view name, std::string_view title, const std::string& statements) {
  return cat("  subgraph cluster_",
             name,
             " {\n  label=\"",
             title,
             "\";\n  fontname=Helvetica;\n  fontsize=24;\n",
             statements,
             "  }\n");
}

/// What a classifier runs, as a cluster whose title says what it is.
std::string compiled_cluster(const Model& model, const PlotOptions& options) {
  const auto plan = compile_graph(
      served_graph(model), options.compile, ModelGraphAccess::precompiled(model.graph()));
  if (options.on_notice) {
    for (const std::string& notice : plan->tactics.notices) options.on_notice(notice);
  }
  const BucketPlan& bucket = plan->buckets.back();
  const ProcessorShare share;
  const std::vector<double> times = step_microseconds(plan, bucket, kMeasureSeconds);
  if (options.on_notice && plan->backend->on_host() && share.is_too_little()) {
    options.on_notice(
        "other programs used the processors while steps were timed: the times drawn may be too "
        "long, some of them many times; draw again when they do not");
  }
  const double total = std::accumulate(times.begin(), times.end(), 0.0);
  return cluster("compiled",
                 cat(options.stage == PlotStage::kPlan ? "plan" : "optimised",
                     " for ",
                     plan->backend->name(),
                     ", batch ",
                     bucket.batch,
                     ": ",
                     bucket.steps.size(),
                     " steps, ",
                     duration_text(total),
                     " one by one"),
                 plan_statements(*plan, bucket, times, options));
}

}  // namespace

std::string plot_text(const Model& model, const PlotOptions& options) {
  const Graph& graph = ModelGraphAccess::graph(model.graph());
  if (options.stage == PlotStage::kImported) return layer_dot(graph, options);
  std::string text = cat("digraph {\n", dot_style(options.left_to_right));
  if (options.beside) text += cluster("imported", "imported", layer_statements(graph, options));
  return text + compiled_cluster(model, options) + "}\n";
}

}  // namespace fovea
