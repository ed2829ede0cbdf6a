// Every tactic of the CPU backend with its operands inside larger buffers.
#include <algorithm>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/library.h"
#include "engine/passes/constants.h"
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
  if (!has_avx512()) GTEST_SKIP() << "this processor has no AVX-512";
  const test::SliceSupport support = test::slice_support(*make_cpu_backend());

  const std::set<std::string> both{
      "Add", "AveragePool", "Clip", "Concat", "Conv2d", "MaxPool", "Relu", "Sigmoid", "Tanh"};
  EXPECT_EQ(support.writers, both);
  std::set<std::string> and_global_pool = both;
  and_global_pool.insert("GlobalPool");
  EXPECT_EQ(support.readers, and_global_pool);
}

// Caches and locks keep the names.
TEST(CpuTactics, HaveNamesOfTheirOwn) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  for (const test::OpCase& op_case : test::op_cases()) {
    for (const Graph& graph : test::graphs_of(op_case, *backend)) {
      for (const OpSite& site : test::sites_of(graph, 2)) {
        std::set<std::string> names;
        for (const Tactic& tactic : backend->tactics(site)) {
          EXPECT_TRUE(names.insert(tactic.name).second) << tactic.name << " twice";
        }
      }
    }
  }
}

TEST(CpuTactics, OfAConvolutionAreSeveral) {
  if (!has_avx512()) GTEST_SKIP() << "this processor has no AVX-512";
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {1, 28, 28, 32}}}, {}, "x");
  const Value weights =
      graph.add(make_constant({64, 3, 3, 32}, test::random_floats(64 * 9 * 32, 1)), {}, "weights");
  graph.mark_output(graph.add(Conv2d{.pads = {1, 1, 1, 1}}, {x, weights}, "conv"), "y");
  std::set<std::string> names;

  for (const Tactic& tactic : backend->tactics(test::sites_of(graph, 2).at(0))) {
    names.insert(tactic.name);
  }

  for (const char* name : {"winograd:4x4/2x1",
                           "winograd:4x4/1x2",
                           "winograd:4x4/1x1",
                           "direct:window/2x1",
                           "direct:window/1x2",
                           "direct:window/1x1"}) {
    EXPECT_TRUE(names.contains(name)) << name << " is not offered";
  }
  EXPECT_TRUE(std::ranges::any_of(
      names, [](const std::string& name) { return name.starts_with("onednn:"); }));
}

}  // namespace
}  // namespace fovea
