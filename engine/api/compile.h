// Compiling an internal graph with public options.
#pragma once

#include <memory>
#include <string>

#include <fovea/options.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// The most pictures that a plan can be asked for.
inline constexpr std::int64_t kLargestBatch = 65'536;

/// Whether CompileOptions::convolution asks for exact convolutions. Throws InvalidArgument for a
/// name that it does not know.
[[nodiscard]] bool exact_convolutions(const std::string& convolution);

/// What compile() of <fovea/compiler.h> does, on the graph itself.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_graph(const Graph& graph,
                                                                 const CompileOptions& options);

}  // namespace fovea
