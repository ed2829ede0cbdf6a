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

/// What that name of a backend stands for: "auto" is the one that the network was compiled for,
/// where it has a device here. Throws InvalidArgument for a name that there is not.
///
/// precompiled   null for a network that does not come from a plan file
[[nodiscard]] std::string backend_name_for(const std::string& name, const Precompiled* precompiled);

/// That backend on one of its devices. Throws as make_backend.
[[nodiscard]] std::shared_ptr<const Backend> backend_for(const std::string& name,
                                                         const Precompiled* precompiled,
                                                         int device = 0);

/// The names in FOVEA_DISABLE_PASSES, sorted, each once. Throws InvalidArgument for one that no
/// pass has.
[[nodiscard]] std::vector<std::string> disabled_passes();

/// What a network is computed in where nobody says: what a plan file was compiled in, if the
/// backend computes in that, else kFp32.
[[nodiscard]] Precision default_precision(const Precompiled* precompiled, const Backend& backend);

/// The options without "auto" and defaults. CPU threads are one where the backend does not compute
/// on them: plans and times are then the same for any number. Throws InvalidArgument.
[[nodiscard]] PlanOptions plan_options(const CompileOptions& options,
                                       const Backend& backend,
                                       const Precompiled* precompiled);

/// Gives `settings` what an earlier compilation found out, or null: its locks where it was for a
/// backend of this name; its tactics where it was for this very one and nothing is measured, and
/// then the backend what its steps saved, unless a tactic is forced or locked; a notice where its
/// precision is not available. Returns the packed weights where it was for this very backend, else
/// null.
///
/// asked_for   CompileOptions::backend: whoever names another one need not be told
[[nodiscard]] std::shared_ptr<const PackedWeights> take_over(const Precompiled* precompiled,
                                                             const Backend& backend,
                                                             const std::string& asked_for,
                                                             PlanOptions& settings);

/// Notices about what a plan file, or null, was compiled for that is not so here: for whoever uses
/// the file; whoever writes a new one need not know.
[[nodiscard]] std::vector<std::string> differences(const Precompiled* precompiled,
                                                   const Backend& backend,
                                                   const std::string& asked_for,
                                                   const PlanOptions& settings);

/// compile_plan() that writes into FOVEA_DUMP_DIR.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_and_dump(
    const Graph& graph,
    std::shared_ptr<const Backend> backend,
    PlanOptions settings,
    WeightStore& weights);

/// What compile() of <fovea/compiler.h> does, on the graph itself.
///
/// backend       backend_for() of the options, and that where it is not given
/// precompiled   what an earlier compilation of the same network found out, or null
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_graph(
    const Graph& graph,
    const CompileOptions& options,
    std::shared_ptr<const Backend> backend,
    const Precompiled* precompiled);
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_graph(const Graph& graph,
                                                                 const CompileOptions& options,
                                                                 const Precompiled* precompiled);

}  // namespace fovea
