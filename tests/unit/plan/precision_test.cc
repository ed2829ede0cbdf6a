// Plans in less than float32.
#include <cmath>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using test::Floats;

/// Three layers that sum: two of them in the wanted precision.
Graph network() {
  Graph graph;
  const auto constant = [&](const Shape& shape, std::uint64_t seed) {
    return graph.add(make_constant(shape, test::random_floats(num_elements(shape), seed)),
                     {},
                     "w" + std::to_string(seed));
  };
  Value y = graph.add(Input{{DType::kFloat32, {kBatch, 6, 6, 4}}}, {}, "x");
  y = graph.add(Conv2d{}, {y, constant({8, 3, 3, 4}, 1)}, "first");
  y = graph.add(Conv2d{}, {y, constant({8, 3, 3, 8}, 2)}, "second");
  y = graph.add(GlobalPool{.kind = PoolKind::kAverage}, {y}, "pool");
  y = graph.add(Dense{}, {y, constant({5, 8}, 3)}, "scores");
  graph.mark_output(y);
  return graph;
}

Floats scores(Precision precision) {
  const Graph graph = network();
  const auto plan =
      compile_plan(graph, make_reference_backend(), {.buckets = {2}, .precision = precision});
  EXPECT_EQ(plan->outputs, (std::vector<TensorInfo>{{"scores", {DType::kFloat32, {kBatch, 5}}}}));
  return test::run_plan(plan, 2, test::random_inputs(graph, 2, 7)).at("scores");
}

/// The largest difference from float32, as a part of the largest score.
float error_of(Precision precision) {
  const Floats want = scores(Precision::kFp32);
  const Floats got = scores(precision);
  float worst = 0;
  float largest = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - want[i]));
    largest = std::max(largest, std::abs(want[i]));
  }
  return worst / largest;
}

TEST(Precision, RoundsAsFinelyAsTheTypeDoes) {
  // Some roundings of half a unit in the last place each, 2^-9 and 2^-12, which partly even out.
  const float bf16 = error_of(Precision::kBf16);
  EXPECT_LT(bf16, 0x1p-9F * 4);
  EXPECT_GT(bf16, 0x1p-12F);
  const float fp16 = error_of(Precision::kFp16);
  EXPECT_LT(fp16, 0x1p-12F * 4);
  EXPECT_GT(fp16, 0.0F);
}

TEST(Precision, RefusedWithWhatThereIs) {
  const auto message = [](Precision precision) -> std::string {
    try {
      (void)compile_plan(network(), make_reference_backend(), {.precision = precision});
    } catch (const Unsupported& error) {
      return error.what();
    }
    return {};
  };

  EXPECT_EQ(message(Precision::kTf32),
            "precision tf32 is not available on the backend reference of this machine; use fp32 "
            "or fp16 or bf16");
  EXPECT_EQ(message(Precision::kInt8),
            "precision int8 is not available in this version; use fp32 or fp16 or bf16");
}

}  // namespace
}  // namespace fovea
