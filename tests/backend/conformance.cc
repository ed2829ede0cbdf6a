#include "tests/backend/conformance.h"

#include <cmath>
#include <cstddef>

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"

namespace fovea::test {

void expect_equals_reference(const Graph& graph,
                             const std::shared_ptr<const Backend>& backend,
                             std::int64_t n,
                             const NamedFloats& inputs,
                             float tolerance) {
  const NamedFloats want = run_graph(graph, make_reference_backend(), n, inputs);
  const NamedFloats got = run_graph(graph, backend, n, inputs);
  for (const auto& [name, values] : want) {
    ASSERT_EQ(got.at(name).size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_LE(std::abs(got.at(name)[i] - values[i]), tolerance)
          << name << " at element " << i << " of a batch of " << n;
    }
  }
}

}  // namespace fovea::test
