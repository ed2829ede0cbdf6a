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
/// Throws Error: weights/missing, argument/invalid (unknown backend, convolution, tap or batch
/// size), argument/unsupported (no lowering), device/none, device/out-of-memory. Thread-safe.
[[nodiscard]] std::shared_ptr<const Plan> compile(const ModelGraph& graph,
                                                  const CompileOptions& options = {});

}  // namespace fovea
