// The CPU backend in bf16 against the definition, for every operator case.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "tests/backend/half_graph.h"
#include "tests/backend/op_cases.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using test::OpCase;

class CpuBf16Conformance : public testing::TestWithParam<OpCase> {
 protected:
  void SetUp() override {
    if (!make_cpu_backend()->traits().computes_in(Precision::kBf16)) {
      GTEST_SKIP() << "this processor has no bf16";
    }
  }
};

TEST_P(CpuBf16Conformance, EqualsReference) {
  const Graph graph = test::in_half(GetParam().build(), DType::kBFloat16);
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    const auto plan = compile_plan(graph, make_cpu_backend(), {.buckets = {n}});
    // What is fused is rounded once: the definition of the graph that the CPU was given.
    const auto want = test::run_graph(plan->graph, make_reference_backend(), n, inputs);
    const auto got = test::run_plan(plan, n, inputs);
    for (const auto& [name, values] : want) {
      ASSERT_EQ(got.at(name).size(), values.size());
      std::size_t different = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        // Sums in float32 end on the other side of a tie now and then: a unit in the last place.
        ASSERT_LE(std::abs(got.at(name)[i] - values[i]),
                  GetParam().tolerance + 0x1p-7F * std::abs(values[i]))
            << name << " at element " << i << " of a batch of " << n;
        different += got.at(name)[i] == values[i] ? 0U : 1U;
      }
      EXPECT_LE(different, 1 + values.size() / 100) << name << " in a batch of " << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CpuBf16Conformance,
                         testing::ValuesIn(test::half_cases()),
                         [](const auto& test) { return test.param.name; });

/// Which cases are computed by oneDNN, and not by the slow definition.
TEST(CpuBf16, FastOperatorsAreNotEvaluated) {
  const auto backend = std::shared_ptr<const Backend>(make_cpu_backend());
  if (!backend->traits().computes_in(Precision::kBf16)) GTEST_SKIP() << "no bf16 here";
  const std::vector<std::string> slow{"conv_depthwise_input_relu",  // no primitive does that, nor
                                      "conv_activation_of_some_channels",
                                      "conv_depthwise_activation_of_some_channels",
                                      "lrn_even_window",  // oneDNN's window is smaller
                                      "pad",
                                      "pad_blocked",
                                      "rescale",
                                      "rescale_blocked",
                                      "transpose",
                                      "transpose_blocked",
                                      "transpose_keeps_channels",
                                      "transpose_to_channels_last",
                                      "concat_rows",  // is no channel slice
                                      "slice",
                                      "slice_rows",
                                      "slice_blocked",
                                      "slice_odd_blocked",
                                      "softmax_1",
                                      "softmax_1000"};
  for (const OpCase& c : test::half_cases()) {
    if (std::ranges::find(slow, c.name) != slow.end()) continue;
    const auto plan =
        compile_plan(test::in_half(c.build(), DType::kBFloat16), backend, {.buckets = {2}});
    for (const PlannedStep& step : plan->buckets[0].steps) {
      EXPECT_NE(step.tactic, "evaluate") << c.name << ", " << step.name;
    }
  }
}

TEST(CpuBf16, HalvesThatItDoesNotComputeInAreEvaluated) {
  Graph graph;
  Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4, 4, 3}}}, {}, "x");
  x = graph.add(Cast{DType::kFloat16}, {x}, "half");
  x = graph.add(MaxPool{.kernel = {2, 2}}, {x}, "pool");
  graph.mark_output(graph.add(Cast{}, {x}, "y"));
  const test::NamedFloats inputs = test::random_inputs(graph, 2, 5);

  EXPECT_EQ(test::run_graph(graph, make_cpu_backend(), 2, inputs),
            test::run_graph(graph, make_reference_backend(), 2, inputs));
}

}  // namespace
}  // namespace fovea
