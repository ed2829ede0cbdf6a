// Holds a backend to what the reference backend computes.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/backend/backend.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

/// Fails the running test unless every output of the graph, for n pictures, is within `tolerance`
/// of the reference backend's.
void expect_equals_reference(const Graph& graph,
                             const std::shared_ptr<const Backend>& backend,
                             std::int64_t n,
                             const NamedFloats& inputs,
                             float tolerance);

}  // namespace fovea::test
