// Dense layers of small batches as tactics, for sites of every type.
#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/passes/constants.h"
#include "tests/backend/tactic_slices.h"
#include "tests/support/strided.h"

namespace fovea {
namespace {

constexpr std::int64_t kOutputs = 9;

Graph dense(std::int64_t rows, std::int64_t inputs, DType type) {
  Graph graph;
  const auto constant = [&](const Shape& shape, const char* name, std::uint64_t seed) {
    const test::Floats values = test::random_floats(num_elements(shape), seed);
    return graph.add(make_constant(shape, values), {}, name);
  };
  const Value x = graph.add(Input{{type, {rows, inputs}}}, {}, "x");
  const Dense op{.bias = true, .activation = {.kind = ActivationKind::kRelu}};
  const Value y = graph.add(
      op, {x, constant({kOutputs, inputs}, "weights", 1), constant({kOutputs}, "bias", 2)}, "y");
  graph.mark_output(y, "y");
  return graph;
}

/// The site's tactic for few rows, or null.
const Tactic* few_rows(const std::vector<Tactic>& tactics) {
  for (const Tactic& tactic : tactics) {
    if (tactic.name == "dense:few-rows") return &tactic;
  }
  return nullptr;
}

/// Fails the test unless few rows have a tactic that gives the definition's numbers.
void expect_few_rows(const Graph& graph, float tolerance, double relative) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  const OpSite site = test::sites_of(graph, 1).at(0);
  const std::vector<Tactic> tactics = backend->tactics(site);
  const Tactic* tactic = few_rows(tactics);
  ASSERT_NE(tactic, nullptr);
  const std::vector<test::Floats> inputs = test::values_of(site);

  const auto got = test::run_tactic(*backend, site, *tactic, tactic->outputs, inputs);

  test::expect_near(got.at(0), test::evaluated(site, inputs).at(0), tolerance, relative);
}

TEST(CudaDenseFewRows, EqualsTheDefinition) {
  // 136 products below 4 in float32.
  for (const std::int64_t rows : {1, 3, 8}) {
    expect_few_rows(dense(rows, 136, DType::kFloat32), 136 * 136 * 4 * 0x1p-24F, 0);
  }
}

TEST(CudaDenseFewRows, RoundsWeightsToTheTypeOfItsInput) {
  // Weights are off by 2^-9 of themselves, and so is the result.
  expect_few_rows(dense(3, 136, DType::kBFloat16), 136 * 4 * 0x1p-9F, 0x1p-8);
}

TEST(CudaDenseFewRows, IsForSmallBatchesOfWholeChunks) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  for (const auto& [rows, inputs] : {std::pair{9, 136}, std::pair{3, 134}}) {
    const Graph graph = dense(rows, inputs, DType::kFloat32);
    const std::vector<Tactic> tactics = backend->tactics(test::sites_of(graph, 1).at(0));
    EXPECT_FALSE(tactics.empty());
    EXPECT_EQ(few_rows(tactics), nullptr) << rows << " x " << inputs;
  }
}

}  // namespace
}  // namespace fovea
