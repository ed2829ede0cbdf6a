// The emulated CUDA backend against the reference backend, for every operator case.
#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "tests/backend/conformance.h"
#include "tests/backend/op_cases.h"

namespace fovea {
namespace {

class CudaEmuConformance : public testing::TestWithParam<test::OpCase> {};

/// Whether the graph has an operator that this backend has no lowering for yet.
bool is_beyond(const Graph& graph) {
  for (const Node& node : graph.nodes()) {
    if (node.as<Lrn>() != nullptr || node.as<Pad>() != nullptr || node.as<Rescale>() != nullptr ||
        node.as<Transpose>() != nullptr || node.as<QuantizeLinear>() != nullptr) {
      return true;
    }
    const auto* conv = node.as<Conv2d>();
    if (conv != nullptr && conv->input_activation != ActivationKind::kNone) return true;
  }
  return false;
}

TEST_P(CudaEmuConformance, EqualsReference) {
  const Graph graph = GetParam().build();
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    if (is_beyond(graph)) {
      EXPECT_THROW((void)test::run_graph(graph, make_cuda_emu_backend(), n, inputs), Unsupported);
      continue;
    }
    test::expect_equals_reference(graph, make_cuda_emu_backend(), n, inputs, GetParam().tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaEmuConformance,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea
