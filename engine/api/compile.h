// Compiling an internal graph with public options.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fovea/options.h>

#include "engine/api/plan_file.h"
#include "engine/plan/execution_plan.h"

namespace fovea {

/// The most pictures that a plan can be asked for.
inline constexpr std::int64_t kLargestBatch = 65'536;

/// Whether CompileOptions::convolution asks for exact convolutions. Throws InvalidArgument for a
/// name that it does not know.
[[nodiscard]] bool exact_convolutions(const std::string& convolution);

/// The backend of that name; "auto" is the one that the network was compiled for, where it works
/// here, else make_backend's. Throws as make_backend.
///
/// precompiled   null for a network that does not come from a plan file
[[nodiscard]] std::shared_ptr<const Backend> backend_for(const std::string& name,
                                                         const Precompiled* precompiled);

/// The names in FOVEA_DISABLE_PASSES. Throws InvalidArgument for one that no pass has.
[[nodiscard]] std::vector<std::string> disabled_passes();

/// The options without "auto" and defaults. Throws InvalidArgument.
[[nodiscard]] PlanOptions plan_options(const CompileOptions& options,
                                       const Precompiled* precompiled);

/// What an earlier compilation found out, where it was for this backend; null where there was none,
/// or one for something else, which is told once on stderr.
///
/// asked_for   CompileOptions::backend: whoever names another one need not be told
[[nodiscard]] const Precompiled* usable_here(const Backend& backend,
                                             const std::string& asked_for,
                                             const Precompiled* precompiled);

/// compile_plan() with what an earlier compilation found out: where nothing is measured, `settings`
/// get its tactics, after those that are forced or locked; the store has its weights already.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_with(
    const Graph& graph,
    std::shared_ptr<const Backend> backend,
    PlanOptions settings,
    const Precompiled* usable,
    WeightStore& weights);

/// What compile() of <fovea/compiler.h> does, on the graph itself.
///
/// precompiled   what an earlier compilation of the same network found out, or null
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_graph(
    const Graph& graph, const CompileOptions& options, const Precompiled* precompiled = nullptr);

}  // namespace fovea
