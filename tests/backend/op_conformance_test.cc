// Every backend against the reference backend, for every operator case.
#include <cmath>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "tests/backend/op_cases.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using test::OpCase;

class CpuConformance : public testing::TestWithParam<OpCase> {};

TEST_P(CpuConformance, EqualsReference) {
  const Graph graph = GetParam().build();
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    const auto want = test::run_graph(graph, make_reference_backend(), n, inputs);
    const auto got = test::run_graph(graph, make_cpu_backend(), n, inputs);
    for (const auto& [name, values] : want) {
      ASSERT_EQ(got.at(name).size(), values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_LE(std::abs(got.at(name)[i] - values[i]), GetParam().tolerance)
            << name << " at element " << i << " of a batch of " << n;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CpuConformance,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea
