// Valid random graphs of all operators, small enough to be evaluated thousands of times.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/graph/graph.h"
#include "tests/support/evaluate_graph.h"

namespace fovea::test {

/// A graph of a symbolic batch with one to about forty nodes, pictures of 1 to 33 rows, columns and
/// channels, all its weights, and one or more outputs. What passes look for is likely in it, and so
/// is what they must not touch. Everything follows from the seed, on every machine.
[[nodiscard]] Graph random_graph(std::uint64_t seed);

/// A value for every input of such a graph, by name; `graph` has a concrete batch.
[[nodiscard]] std::map<std::string, Bytes> random_graph_inputs(const Graph& graph,
                                                               std::uint64_t seed);

}  // namespace fovea::test
