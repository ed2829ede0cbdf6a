#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/core/require.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/lowering.h"
#include "engine/plan/plan_cost.h"

namespace fovea {

namespace {

bool has_symbolic_batch(const Graph& graph) {
  const auto inputs = graph.inputs();
  return std::any_of(inputs.begin(), inputs.end(), [&](NodeId id) {
    return has_batch(graph.node(id).outputs[0]);
  });
}

void require_weights(const Graph& graph) {
  for (const Node& node : graph.nodes()) {
    const auto* constant = node.as<Constant>();
    if (constant == nullptr || constant->data != nullptr) continue;
    throw Error(ErrorCode::kWeightsMissing,
                cat("parameter '",
                    node.name,
                    "' (",
                    to_string(constant->desc),
                    ") has no weights; load a weights file or use random ones"));
  }
}

}  // namespace

const BucketPlan& ExecutionPlan::bucket_for(std::int64_t n) const {
  const auto found = std::find_if(
      buckets.begin(), buckets.end(), [n](const BucketPlan& b) { return b.batch >= n; });
  if (n < 1 || found == buckets.end()) {
    throw InvalidArgument(
        cat("a batch of ", n, " does not fit: the plan takes 1 to ", buckets.back().batch));
  }
  return *found;
}

void require_precision(const Backend& backend, Precision precision) {
  const TargetTraits traits = backend.traits();
  if (traits.computes_in(precision)) return;
  std::string others = "fp32";
  for (const Precision other : {Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
    if (traits.computes_in(other)) others += cat(" or ", to_string(other));
  }
  const std::string where = precision == Precision::kInt8
                                ? "in this version"
                                : cat("on the backend ", backend.name(), " of this machine");
  throw Unsupported(
      cat("precision ", to_string(precision), " is not available ", where, "; use ", others));
}

std::shared_ptr<const ExecutionPlan> compile_plan(const Graph& graph,
                                                  std::shared_ptr<const Backend> backend,
                                                  const PlanOptions& options) {
  WeightStore weights(*backend);
  return compile_plan(graph, std::move(backend), options, weights);
}

std::shared_ptr<const ExecutionPlan> compile_plan(const Graph& graph,
                                                  std::shared_ptr<const Backend> backend,
                                                  const PlanOptions& options,
                                                  WeightStore& weights) {
  require(!graph.outputs().empty(), "a graph without outputs computes nothing");
  require(options.threads >= 1, "a plan needs at least one thread");
  require(!options.buckets.empty(), "a plan needs at least one batch size");
  require_precision(*backend, options.precision);
  require_weights(graph);

  auto plan = std::make_shared<ExecutionPlan>();
  plan->threads = options.threads;
  plan->precision = options.precision;
  Graph optimised = graph;
  PassContext context{.traits = backend->traits(),
                      .report = {},
                      .on_change = options.on_pass,
                      .precision = options.precision};
  for (const std::string& pass : options.disabled_passes) {
    context.report.refuse(pass, "", "left out, as FOVEA_DISABLE_PASSES says");
  }
  run_passes(optimised, passes_without(options.disabled_passes), context);
  // Backends pack weights, so they must be Constants here, whoever left the pass out.
  run_passes(optimised, {&find_pass("fold-constants"), 1}, context);
  plan->report = std::move(context.report);
  for (const NodeId id : optimised.inputs()) {
    plan->inputs.push_back({optimised.node(id).name, optimised.node(id).outputs[0]});
  }
  for (const GraphOutput& output : optimised.outputs()) {
    plan->outputs.push_back({output.name, optimised.desc(output.value)});
  }

  TacticSelector tactics(*backend, optimised, options.tactics);
  std::set<std::int64_t> batches(options.buckets.begin(), options.buckets.end());
  if (!has_symbolic_batch(graph)) batches = {1};
  for (const std::int64_t batch : batches) {
    Report report;
    tactics.start_batch(batch);
    plan->buckets.push_back(
        lower(with_batch(optimised, batch), *backend, tactics, weights, batch, options, report));
    plan->report.add_new(report);
  }
  plan->tactics = tactics.finish();
  std::vector<std::string>& notices = plan->tactics.notices;
  notices.insert(notices.begin(), options.notices.begin(), options.notices.end());
  for (std::string& notice : backend->notices()) notices.push_back(std::move(notice));
  plan->weight_bytes = weights.bytes();
  plan->graph = std::move(optimised);
  plan->backend = std::move(backend);
  return plan;
}

namespace {

/// Cells in columns, two spaces between; the last one is as long as it is.
template <std::size_t Columns>
std::string in_columns(const std::vector<std::array<std::string, Columns>>& rows) {
  std::array<std::size_t, Columns> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < Columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < Columns; ++i) {
      text += cat("  ", row[i]);
      if (i + 1 < Columns) text.append(widths[i] - row[i].size(), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string to_string(const ExecutionPlan& plan) {
  std::string text;
  for (const BucketPlan& bucket : plan.buckets) {
    text += cat("batch ",
                bucket.batch,
                ": ",
                bucket.steps.size(),
                " steps, arena ",
                bucket.arena_bytes,
                " bytes (bound ",
                bucket.lower_bound,
                "), ",
                to_string(total(step_costs(plan, bucket))),
                '\n');
    std::vector<std::array<std::string, 5>> rows;
    for (const PlannedStep& step : bucket.steps) {
      const Slot& slot = bucket.slots[step.outputs.at(0)];
      rows.push_back({step.name,
                      step.tactic,
                      to_string(slot.desc),
                      to_string(slot.layout),
                      cat('@', slot.offset)});
    }
    text += in_columns(rows);
  }
  return text;
}

}  // namespace fovea
