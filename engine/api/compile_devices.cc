#include "engine/api/compile_devices.h"

#include <string>

#include "engine/core/joined.h"
#include "engine/plan/saved_state.h"

namespace fovea {

namespace {

/// What compiling `plan` found out; `before` is what it began with, or null.
Precompiled found_out(const ExecutionPlan& plan,
                      const CompileOptions& options,
                      const Precompiled* before) {
  Precompiled found;
  found.facts.backend = plan.backend->name();
  found.facts.fingerprint = plan.backend->fingerprint();
  found.facts.convolution = before == nullptr ? options.convolution : before->facts.convolution;
  found.facts.precision = to_string(plan.precision);
  found.facts.disabled_passes = joined(disabled_passes(), ",");
  found.choices = choices_of(plan.tactics);
  save_steps(plan, found.state);
  if (before == nullptr) return found;
  if (before->facts.backend == found.facts.backend) found.locks = before->locks;
  if (before->facts.fingerprint == found.facts.fingerprint) found.packed = before->packed;
  return found;
}

}  // namespace

std::vector<std::shared_ptr<const ExecutionPlan>> compile_for_devices(
    const Graph& graph,
    const CompileOptions& options,
    std::span<const std::shared_ptr<const Backend>> devices,
    const Precompiled* precompiled) {
  std::vector plans{compile_graph(graph, options, devices.front(), precompiled)};
  if (devices.size() == 1) return plans;
  const Precompiled first = found_out(*plans.front(), options, precompiled);
  CompileOptions as_first = options;
  as_first.tuning = "off";
  as_first.tuning_seconds = 0;
  for (const std::shared_ptr<const Backend>& device : devices.subspan(1)) {
    const bool alike = device->fingerprint() == first.facts.fingerprint;
    plans.push_back(alike ? compile_graph(graph, as_first, device, &first)
                          : compile_graph(graph, options, device, precompiled));
  }
  return plans;
}

}  // namespace fovea
