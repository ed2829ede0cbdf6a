// Every tactic of the emulated CUDA backend with its operands inside larger buffers.
#include <tuple>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/core/require.h"
#include "tests/backend/half_graph.h"
#include "tests/backend/tactic_slices.h"

namespace fovea {
namespace {

class CudaTacticSlices : public testing::TestWithParam<test::OpCase> {};

TEST_P(CudaTacticSlices, EqualReference) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  for (const Graph& graph : test::graphs_of(GetParam(), *backend)) {
    for (const int threads : {1}) {
      for (const OpSite& site : test::sites_of(graph, threads)) {
        test::expect_equal_to_definition(*backend, site, GetParam().tolerance);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaTacticSlices,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

class CudaTacticSlicesOfHalves : public testing::TestWithParam<std::tuple<DType, test::OpCase>> {};

TEST_P(CudaTacticSlicesOfHalves, EqualReference) {
  const auto& [half, op_case] = GetParam();
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  const test::OpCase in_half{.name = op_case.name, .build = [&] {
                               return test::in_half(std::get<1>(GetParam()).build(),
                                                    std::get<0>(GetParam()));
                             }};
  for (const Graph& graph : test::graphs_of(in_half, *backend)) {
    for (const OpSite& site : test::sites_of(graph, 1)) {
      test::expect_equal_to_definition(
          *backend, site, op_case.tolerance, test::unit_in_the_last_place(half));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaTacticSlicesOfHalves,
                         testing::Combine(testing::Values(DType::kFloat16, DType::kBFloat16),
                                          testing::ValuesIn(test::half_cases())),
                         [](const auto& test) {
                           return cat(to_string(std::get<0>(test.param)),
                                      '_',
                                      std::get<1>(test.param).name);
                         });

// Where an operator is missing here, a plan copies around it.
TEST(CudaTactics, ReadAndWriteSlicesWhereTheirKernelsCan) {
  const test::SliceSupport support = test::slice_support(*make_cuda_emu_backend());

  const std::set<std::string> both{"Add",
                                   "AveragePool",
                                   "Clip",
                                   "Conv2d",
                                   "Lrn",
                                   "MaxPool",
                                   "Pad",
                                   "Relu",
                                   "Rescale",
                                   "SeparableConv2d",
                                   "Sigmoid",
                                   "Tanh",
                                   "Transpose"};
  EXPECT_EQ(support.writers, both);
  std::set<std::string> and_global_pool = both;
  and_global_pool.insert("GlobalPool");
  EXPECT_EQ(support.readers, and_global_pool);
}

}  // namespace
}  // namespace fovea
