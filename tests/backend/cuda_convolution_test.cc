// Our own convolutions as tactics: on a backend that has no library of convolutions, and every one
// of them for sites of every precision.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "tests/backend/conformance.h"
#include "tests/backend/one_convolution.h"
#include "tests/backend/op_cases.h"
#include "tests/backend/tactic_slices.h"

namespace fovea {
namespace {

bool has_convolution(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(),
                             [](const Node& node) { return node.as<Conv2d>() != nullptr; });
}

std::vector<test::OpCase> convolution_cases() {
  std::vector<test::OpCase> cases;
  std::ranges::copy_if(test::op_cases(), std::back_inserter(cases), [](const test::OpCase& c) {
    return has_convolution(c.build());
  });
  return cases;
}

constexpr int kHopper = 90;

/// The emulated device with convolutions of our own alone.
std::unique_ptr<Backend> without_library(int capability = kHopper) {
  return cuda::make_backend("cuda-emu", {}, capability);
}

/// Whether all operators of the graph have a tactic here.
bool computes_all(const Graph& graph, const Backend& backend) {
  const Graph concrete = with_batch(graph, 2);
  return std::ranges::none_of(test::sites_of(concrete, 1),
                              [&](const OpSite& site) { return backend.tactics(site).empty(); });
}

class CudaConvolutionCases : public testing::TestWithParam<test::OpCase> {};

TEST_P(CudaConvolutionCases, EqualTheReference) {
  const Graph graph = GetParam().build();
  if (!computes_all(graph, *without_library())) {
    GTEST_SKIP() << "another operator of this case has no kernel";
  }
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    test::expect_equals_reference(graph, without_library(), n, inputs, GetParam().tolerance);
  }
}

TEST_P(CudaConvolutionCases, EqualTheDefinitionInsideOfLargerBuffers) {
  const std::unique_ptr<Backend> backend = without_library();
  for (const Graph& graph : test::graphs_of(GetParam(), *backend)) {
    for (const OpSite& site : test::sites_of(graph, 1)) {
      if (site.node.as<Conv2d>() == nullptr) continue;
      ASSERT_FALSE(backend->tactics(site).empty()) << site.node.name;
      test::expect_equal_to_definition(*backend, site, GetParam().tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaConvolutionCases,
                         testing::ValuesIn(convolution_cases()),
                         [](const auto& test) { return test.param.name; });

/// Large enough for every tile; 3 x 3 windows over 12 channels.
Graph large(DType type) {
  return test::one_convolution({2, 8, 6, 12},
                               {3, 3},
                               68,
                               {.pads = {1, 1, 1, 1},
                                .bias = true,
                                .residual = true,
                                .activation = test::kClip,
                                .activation_channels = 30},
                               7,
                               type);
}

constexpr int kDepth = 9 * 12;

const std::set<std::string> kSimt{"conv:simt-64x64", "conv:simt-128x128"};
const std::set<std::string> kAll{"conv:simt-64x64",
                                 "conv:simt-128x128",
                                 "conv:mma-64x64",
                                 "conv:mma-128x64",
                                 "conv:mma-128x128"};

std::set<std::string> names_of(const std::vector<Tactic>& tactics) {
  std::set<std::string> names;
  for (const Tactic& tactic : tactics) names.insert(tactic.name);
  return names;
}

TEST(CudaConvolution, StrictFloatSitesKeepAllBitsOfTheirOperands) {
  const Graph graph = large(DType::kFloat32);
  const OpSite site = test::sites_of(graph, 1).at(0);

  EXPECT_EQ(names_of(without_library()->tactics(site)), kSimt);

  // Operands below 2, float32 sums.
  test::expect_equal_to_definition(*without_library(), site, kDepth * kDepth * 4 * 0x1p-24F);
}

TEST(CudaConvolution, Tf32SitesMayRoundTheirOperands) {
  const Graph graph = large(DType::kFloat32);
  OpSite site = test::sites_of(graph, 1).at(0);
  site.tf32 = true;

  EXPECT_EQ(names_of(without_library()->tactics(site)), kAll);

  // Both operands of a product below 4 are off by 2^-11 of themselves.
  test::expect_equal_to_definition(*without_library(), site, kDepth * 4 * 0x1p-10F);
}

TEST(CudaConvolution, HalfSitesAreMultipliedByTensorCores) {
  const Graph graph = large(DType::kBFloat16);
  const OpSite site = test::sites_of(graph, 1).at(0);

  EXPECT_EQ(names_of(without_library()->tactics(site)), kAll);

  // Weights are rounded to bfloat16, by 2^-9 of themselves, and so is the result.
  test::expect_equal_to_definition(*without_library(), site, kDepth * 4 * 0x1p-9F, 0x1p-8);
}

TEST(CudaConvolution, OldDevicesMultiplyByOrdinaryInstructions) {
  const Graph graph = large(DType::kFloat16);
  const OpSite site = test::sites_of(graph, 1).at(0);

  EXPECT_EQ(names_of(without_library(80)->tactics(site)), kAll);
  EXPECT_EQ(names_of(without_library(75)->tactics(site)), kSimt);
}

TEST(CudaConvolution, ReadsASiteAsItLies) {
  const Graph graph = large(DType::kFloat32);
  const OpSite site = test::sites_of(graph, 1).at(0);
  for (const Tactic& tactic : without_library()->tactics(site)) {
    EXPECT_EQ(tactic.inputs[0].kind, Layout::Kind::kSliced);
    EXPECT_EQ(tactic.inputs[3].kind, Layout::Kind::kSliced);
    EXPECT_TRUE(tactic.writes_slices);
    ASSERT_EQ(tactic.aliases.size(), 1U);
    EXPECT_EQ(tactic.aliases[0].input, 3U);
  }
}

TEST(CudaConvolution, ComesBehindTheLibrarysTactics) {
  const Graph graph = large(DType::kFloat32);
  const OpSite site = test::sites_of(graph, 1).at(0);

  const std::vector<Tactic> tactics = make_cuda_emu_backend()->tactics(site);

  ASSERT_EQ(tactics.size(), 3U);
  EXPECT_EQ(tactics[0].name, "evaluate");
}

TEST(CudaConvolution, PacksItsWeightsOnce) {
  const Graph graph =
      test::one_convolution({kBatch, 5, 5, 3}, {3, 3}, 10, {.bias = true}, 7, DType::kFloat32);

  const auto plan = compile_plan(graph, without_library(), {.buckets = {1, 2}});

  // 27 elements a filter, with one more for whole 16 bytes.
  EXPECT_EQ(plan->weight_bytes, (10 * 28 + 10) * sizeof(float));
}

}  // namespace
}  // namespace fovea
