#include <algorithm>

#include <fovea/dry_run.h>

#include "engine/api/classify_graph.h"
#include "engine/api/compile.h"
#include "engine/api/device_backends.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/plan/plan_cost.h"
#include "engine/plan/plan_floor.h"

namespace fovea {

namespace {

std::shared_ptr<const Backend> target_backend(std::string_view backend, std::string_view target) {
  if (backend != "auto" && backend != "cuda") {
    throw InvalidArgument(cat("the target ",
                              printable(target),
                              " is one of the backend cuda, not of '",
                              printable(backend),
                              "'"));
  }
  return make_target_backend(target);
}

Unsupported not_computed(Precision precision, const TargetTraits& traits, std::string_view target) {
  std::string others = "fp32";
  for (const Precision other : {Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
    if (traits.computes_in(other)) others += cat(" or ", to_string(other));
  }
  const std::string where =
      precision == Precision::kInt8 ? "in this version" : cat("on ", printable(target));
  return Unsupported(
      cat("precision ", to_string(precision), " is not available ", where, "; use ", others));
}

double peak(const Ceilings& ceilings, Precision precision) {
  if (precision == Precision::kFp32) return ceilings.fp32_flops;
  return precision == Precision::kTf32 ? ceilings.tf32_flops : ceilings.half_flops;
}

/// Of the step at this batch size; empty where it is of no node.
std::string refusal_of(const ExecutionPlan& plan, std::int64_t batch, const PlannedStep& step) {
  if (step.node == kNoNode) return {};
  const auto found = std::ranges::find_if(plan.tactics.decisions, [&](const auto& decision) {
    return decision.batch == batch && decision.node == step.name;
  });
  return found == plan.tactics.decisions.end() ? "" : found->refusal;
}

DryRunBucket describe(const ExecutionPlan& plan,
                      const BucketPlan& bucket,
                      const std::optional<Ceilings>& ceilings) {
  const std::vector<Cost> costs = step_costs(plan, bucket);
  const std::vector<Floor> floors =
      ceilings ? step_floors(plan, bucket, costs, *ceilings) : std::vector<Floor>(costs.size());
  DryRunBucket result{.batch = bucket.batch,
                      .launches = total(costs).launches,
                      .arena_bytes = bucket.arena_bytes,
                      .lower_bound_bytes = bucket.lower_bound,
                      .workspace_bytes = bucket.workspace_bytes,
                      .floor_us = 0,
                      .steps = {}};
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const PlannedStep& step = bucket.steps[i];
    const Cost& cost = costs[i];
    result.floor_us += floors[i].us();
    result.steps.push_back({.name = step.name,
                            .tactic = step.tactic,
                            .output = to_string(bucket.slots[step.outputs.at(0)].desc),
                            .flops = cost.flops,
                            .bytes = cost.read_bytes + cost.written_bytes + cost.weight_bytes,
                            .weight_bytes = cost.weight_bytes,
                            .floor_us = floors[i].us(),
                            .bound_by_bytes = floors[i].bytes_us >= floors[i].flops_us,
                            .refusal = refusal_of(plan, bucket.batch, step)});
  }
  return result;
}

}  // namespace

void check_target(std::string_view backend, std::string_view target) {
  (void)target_backend(backend, target);
}

DryRun dry_run(const Model& model, const CompileOptions& options, std::string_view target) {
  require(options.taps.empty(), "a dry run has no taps");
  const Precompiled* before = ModelGraphAccess::precompiled(model.graph());
  CompileOptions untuned = options;
  untuned.tuning = "off";
  const auto backend = target.empty() ? backend_for(options.backend, before, options.device)
                                      : target_backend(options.backend, target);
  PlanOptions settings = plan_options(untuned, *backend, before);
  if (!target.empty()) settings.threads = 1;  // of a device, whose memory here is the host's
  if (!target.empty() && !backend->traits().computes_in(settings.precision)) {
    throw not_computed(settings.precision, backend->traits(), target);
  }
  WeightStore weights(*backend, take_over(before, *backend, options.backend, settings));
  const Graph deployed = deployed_graph(model.impl(), ModelGraphAccess::graph(model.graph()));
  const auto plan = compile_and_dump(deployed, backend, settings, weights);

  const std::optional<Ceilings> ceilings = backend->ceilings();
  DryRun result;
  result.plan = std::make_shared<const Plan>(plan);
  result.model = model.name();
  result.backend = backend->name();
  result.precision = to_string(plan->precision);
  result.compiled_for = backend->fingerprint();
  result.memory_bytes = backend->memory_info().total_bytes;
  if (ceilings) {
    result.ceilings = {.device = ceilings->device,
                       .bytes_per_s = ceilings->bytes_per_s,
                       .flops_per_s = peak(*ceilings, plan->precision)};
  }
  result.weight_bytes = total(step_costs(*plan, plan->buckets.back())).weight_bytes;
  for (const BucketPlan& bucket : plan->buckets) {
    result.buckets.push_back(describe(*plan, bucket, ceilings));
  }
  return result;
}

}  // namespace fovea
