// Every tactic of a backend with its operands inside larger buffers: what a plan may ask for,
// though few graphs make it do so.
#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "tests/backend/op_cases.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

/// The tensor inside of a buffer with more channels on either side.
[[nodiscard]] Layout slice_of(const TensorDesc& desc);

/// The inputs of a node: random values, or those of its Constants.
[[nodiscard]] std::vector<Floats> values_of(const OpSite& site);

/// The node's outputs by its own definition.
[[nodiscard]] std::vector<Floats> evaluated(const OpSite& site, const std::vector<Floats>& inputs);

/// The node's outputs by a tactic, in these layouts. What lies around a slice is NaN; fails the
/// test where it was written.
[[nodiscard]] std::vector<Floats> run_tactic(const Backend& backend,
                                             const OpSite& site,
                                             const Tactic& tactic,
                                             const std::vector<Layout>& output_layouts,
                                             const std::vector<Floats>& inputs);

/// Every operator of the graph, with each input offered as a slice. The graph must stay.
[[nodiscard]] std::vector<OpSite> sites_of(const Graph& graph, int threads);

/// The case's graph for a few pictures, as it is and as the passes leave it.
[[nodiscard]] std::array<Graph, 2> graphs_of(const OpCase& op_case, const Backend& backend);

/// Every tactic of the site, with a slice as output where it writes one, against the definition.
void expect_equal_to_definition(const Backend& backend,
                                const OpSite& site,
                                float tolerance,
                                double relative = 0.0);

/// Operators of the cases with a tactic that reads a slice as its first input, or writes one.
struct SliceSupport {
  std::set<std::string> readers;
  std::set<std::string> writers;
};

[[nodiscard]] SliceSupport slice_support(const Backend& backend);

}  // namespace fovea::test
