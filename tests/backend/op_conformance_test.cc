// The CPU backend against the reference backend, for every operator case.
#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "tests/backend/conformance.h"
#include "tests/backend/op_cases.h"

namespace fovea {
namespace {

using test::OpCase;

class CpuConformance : public testing::TestWithParam<OpCase> {};

TEST_P(CpuConformance, EqualsReference) {
  const Graph graph = GetParam().build();
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    test::expect_equals_reference(graph, make_cpu_backend(), n, inputs, GetParam().tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CpuConformance,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea
