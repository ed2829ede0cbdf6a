// Finding the pass that changes what a graph computes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/graph/interpret.h"
#include "engine/passes/pass.h"

namespace fovea {

struct Bisection {
  const Graph& graph;  ///< before all passes
  TargetTraits traits;
  Precision precision = Precision::kFp32;
  std::int64_t batch = 1;               ///< of `inputs`
  std::span<const TensorBytes> inputs;  ///< as evaluate_graph() takes them
  double tolerance = 0;                 ///< for TensorDifference::max_rel of a float32 output
};

/// The first of `passes` after which the graph's float32 outputs, by the operators' definitions,
/// are further than the tolerance from what they are without passes; empty where none is. Takes a
/// difference that is there to stay, and so evaluates the graph a few times only.
[[nodiscard]] std::string first_differing_pass(const Bisection& what, std::span<const Pass> passes);

}  // namespace fovea
