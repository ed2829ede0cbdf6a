// Every tactic of the CPU backend with its operands inside larger buffers.
#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "tests/backend/tactic_slices.h"

namespace fovea {
namespace {

class CpuTacticSlices : public testing::TestWithParam<test::OpCase> {};

TEST_P(CpuTacticSlices, EqualReference) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  for (const Graph& graph : test::graphs_of(GetParam(), *backend)) {
    for (const int threads : {1, 2}) {
      for (const OpSite& site : test::sites_of(graph, threads)) {
        test::expect_equal_to_definition(*backend, site, GetParam().tolerance);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CpuTacticSlices,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

// Where an operator is missing here, a plan copies around it.
TEST(CpuTactics, ReadAndWriteSlicesWhereTheirKernelsCan) {
  if (!__builtin_cpu_supports("avx512f")) GTEST_SKIP() << "this processor has no AVX-512";
  const test::SliceSupport support = test::slice_support(*make_cpu_backend());

  const std::set<std::string> both{
      "Add", "AveragePool", "Clip", "Concat", "Conv2d", "MaxPool", "Relu", "Sigmoid", "Tanh"};
  EXPECT_EQ(support.writers, both);
  std::set<std::string> and_global_pool = both;
  and_global_pool.insert("GlobalPool");
  EXPECT_EQ(support.readers, and_global_pool);
}

}  // namespace
}  // namespace fovea
