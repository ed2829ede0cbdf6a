// The emulated CUDA backend against the reference backend, for every operator case.
#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "tests/backend/conformance.h"
#include "tests/backend/op_cases.h"

namespace fovea {
namespace {

class CudaEmuConformance : public testing::TestWithParam<test::OpCase> {};

TEST_P(CudaEmuConformance, EqualsReference) {
  const Graph graph = GetParam().build();
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    test::expect_equals_reference(graph, make_cuda_emu_backend(), n, inputs, GetParam().tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaEmuConformance,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea
