// Compiles a graph, runs it once and gives its float32 outputs by name.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea::test {

using Floats = std::vector<float>;
using NamedFloats = std::map<std::string, Floats>;

/// `count` values in [-2, 2), the same for the same seed everywhere.
[[nodiscard]] Floats random_floats(std::int64_t count, std::uint64_t seed);

/// Random values for every float32 input of the graph, for n pictures.
[[nodiscard]] NamedFloats random_inputs(const Graph& graph, std::int64_t n, std::uint64_t seed);

/// Runs n pictures in a fresh context; the outputs' integers become floats.
[[nodiscard]] NamedFloats run_plan(const std::shared_ptr<const ExecutionPlan>& plan,
                                   std::int64_t n,
                                   const NamedFloats& inputs);

/// Compiles for a batch of n (one bucket) and runs.
[[nodiscard]] NamedFloats run_graph(const Graph& graph,
                                    std::shared_ptr<const Backend> backend,
                                    std::int64_t n,
                                    const NamedFloats& inputs);

}  // namespace fovea::test
