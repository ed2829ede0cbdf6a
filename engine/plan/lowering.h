// Lowers a graph of concrete batch to the steps and slots of one bucket.
#pragma once

#include "engine/backend/weight_store.h"
#include "engine/plan/execution_plan.h"
#include "engine/plan/tactic_selector.h"

namespace fovea {

/// Has a tactic and layouts chosen for every node that is more than a place (placement.h), adds the
/// conversions they need, places everything in the arena and builds the steps. `graph` is optimised
/// and has the concrete batch `batch`, whatever the options' buckets are. Says in the report, under
/// "place" and "in-place", which values are copied and why.
[[nodiscard]] BucketPlan lower(const Graph& graph,
                               const Backend& backend,
                               TacticSelector& tactics,
                               WeightStore& weights,
                               std::int64_t batch,
                               const PlanOptions& options,
                               Report& report);

}  // namespace fovea
