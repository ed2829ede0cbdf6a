// One network on several devices.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/api/compile.h"

namespace fovea {

/// compile_graph() for each device. Those of the first one's kind (Backend::fingerprint()) take
/// over what its compilation found out: nothing is measured twice, and a picture has the same bits
/// on all of them.
///
/// devices   at least one
[[nodiscard]] std::vector<std::shared_ptr<const ExecutionPlan>> compile_for_devices(
    const Graph& graph,
    const CompileOptions& options,
    std::span<const std::shared_ptr<const Backend>> devices,
    const Precompiled* precompiled);

}  // namespace fovea
