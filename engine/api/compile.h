// Compiling an internal graph with public options.
#pragma once

#include <memory>

#include <fovea/options.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// The most pictures that a plan can be asked for.
inline constexpr std::int64_t kLargestBatch = 65'536;

/// What compile() of <fovea/compiler.h> does, on the graph itself.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_graph(const Graph& graph,
                                                                 const CompileOptions& options);

}  // namespace fovea
