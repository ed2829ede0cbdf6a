// From a network to a plan.
#pragma once

#include <memory>

#include <fovea/graph.h>
#include <fovea/options.h>
#include <fovea/plan.h>

namespace fovea {

/// Optimises the network for a backend and lowers it once per batch size over one copy of the
/// weights.
///
/// Obeys the environment: FOVEA_TACTIC forces tactics, FOVEA_DISABLE_PASSES leaves passes out,
/// FOVEA_DUMP_DIR names a folder for what happens on the way, and measured times are kept under
/// FOVEA_HOME.
///
/// Throws Error: weights/missing; argument/invalid (an option or one of these variables that cannot
/// be followed: the message names it); argument/unsupported (no lowering, no such precision);
/// io/read (the lock file); io/write, io/no-space (FOVEA_DUMP_DIR); device/none,
/// device/out-of-memory. Thread-safe.
[[nodiscard]] std::shared_ptr<const Plan> compile(const ModelGraph& graph,
                                                  const CompileOptions& options = {});

}  // namespace fovea
