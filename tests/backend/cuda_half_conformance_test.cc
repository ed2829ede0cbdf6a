// The emulated CUDA backend in f16 and bf16 against the definition, for every operator case.
#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/weight_store.h"
#include "engine/core/require.h"
#include "tests/backend/half_graph.h"
#include "tests/backend/op_cases.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using test::OpCase;

std::shared_ptr<const ExecutionPlan> plan_of(const Graph& graph, std::int64_t n) {
  return compile_plan(graph, make_cuda_emu_backend(), {.buckets = {n}, .threads = 1});
}

/// Whether the backend has a lowering for all that the graph has in float32.
bool has_lowerings(const Graph& graph) {
  try {
    (void)plan_of(graph, 1);
    return true;
  } catch (const Unsupported&) {
    return false;
  }
}

class CudaHalfConformance : public testing::TestWithParam<std::tuple<DType, OpCase>> {};

TEST_P(CudaHalfConformance, EqualsReference) {
  const auto& [half, op_case] = GetParam();
  const Graph graph = test::in_half(op_case.build(), half);
  if (!has_lowerings(op_case.build())) {
    EXPECT_THROW((void)plan_of(graph, 1), Unsupported);
    return;
  }
  for (const std::int64_t n : {1, 3}) {
    const test::NamedFloats inputs = test::random_inputs(graph, n, 5);
    const auto plan = plan_of(graph, n);
    // What is fused is rounded once: the definition of the graph that the backend was given.
    const auto want = test::run_graph(plan->graph, make_reference_backend(), n, inputs);
    const auto got = test::run_plan(plan, n, inputs);
    for (const auto& [name, values] : want) {
      ASSERT_EQ(got.at(name).size(), values.size());
      std::size_t different = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        // Sums in float32 end on the other side of a tie now and then: a unit in the last place.
        ASSERT_LE(std::abs(got.at(name)[i] - values[i]),
                  op_case.tolerance + test::unit_in_the_last_place(half) * std::abs(values[i]))
            << name << " at element " << i << " of a batch of " << n;
        different += got.at(name)[i] == values[i] ? 0U : 1U;
      }
      EXPECT_LE(different, 1 + values.size() / 100) << name << " in a batch of " << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaHalfConformance,
                         testing::Combine(testing::Values(DType::kFloat16, DType::kBFloat16),
                                          testing::ValuesIn(test::half_cases())),
                         [](const auto& test) {
                           return cat(to_string(std::get<0>(test.param)),
                                      '_',
                                      std::get<1>(test.param).name);
                         });

class CudaHalf : public testing::TestWithParam<DType> {
 protected:
  static Value constant(Graph& graph, const TensorDesc& desc, const test::Floats& values) {
    return graph.add(Constant{desc, Buffer::from(test::to_bytes(desc, values))},
                     {},
                     cat("constant", graph.size()));
  }

  /// Runs two rows or pictures on the backend and by definition.
  static void expect_equal(const Graph& graph) {
    const test::NamedFloats inputs = test::random_inputs(graph, 2, 5);
    EXPECT_EQ(test::run_graph(graph, make_cuda_emu_backend(), 2, inputs),
              test::run_graph(graph, make_reference_backend(), 2, inputs));
  }
};

/// One copy for every type that a step reads, shared by all buckets.
TEST_P(CudaHalf, WeightsArePackedInTheTypeOfTheActivationsAndBiasesInFloat32) {
  const DType half = GetParam();
  const test::Floats weights = test::random_floats(3 * 8, 1);
  const test::Floats bias = test::random_floats(3, 2);
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 8}}}, {}, "x");
  const Value w = constant(graph, {DType::kFloat32, {3, 8}}, weights);
  const Value b = constant(graph, {DType::kFloat32, {3}}, bias);
  const Dense layer{.bias = true};
  const Value cast = graph.add(Cast{half}, {x}, "cast");
  const Value in_half = graph.add(layer, {cast, w, b}, "half");
  graph.mark_output(graph.add(Cast{}, {in_half}, "y"));
  graph.mark_output(graph.add(layer, {x, w, b}, "float"));
  const auto backend = std::shared_ptr<const Backend>(make_cuda_emu_backend());
  WeightStore store(*backend);

  (void)compile_plan(graph, backend, {.buckets = {1, 2}, .threads = 1}, store);

  std::vector<std::vector<std::byte>> want{cuda::weights_as(*graph.node(w).as<Constant>(), half),
                                           test::to_bytes({DType::kFloat32, {3, 8}}, weights),
                                           test::to_bytes({DType::kFloat32, {3}}, bias)};
  std::vector<std::vector<std::byte>> got;
  store.for_each([&](const std::string& /*key*/, std::span<const std::byte> bytes) {
    got.emplace_back(bytes.begin(), bytes.end());
  });
  std::ranges::sort(want);
  std::ranges::sort(got);
  EXPECT_EQ(got, want);
}

/// Parameters may be of the type as well, and one may be of another type with the same bytes.
TEST_P(CudaHalf, ParametersMayBeOfTheType) {
  const DType half = GetParam();
  const DType other = half == DType::kFloat16 ? DType::kBFloat16 : DType::kFloat16;
  const std::vector<std::byte> bytes = test::to_bytes({half, {4}}, {1.0F, 2.0F, -1.5F, 0.25F});
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  const auto branch = [&](DType type) {
    const std::string name(to_string(type));
    const Value cast = graph.add(Cast{type}, {x}, cat(name, "/cast"));
    const Value shift = graph.add(Constant{{type, {4}}, Buffer::from(bytes)}, {}, cat(name, "/b"));
    const Value w = constant(graph, {type, {4, 4}}, test::random_floats(16, 3));
    const Value sum = graph.add(Add{}, {cast, shift}, cat(name, "/sum"));
    const Value dense = graph.add(Dense{.bias = true}, {sum, w, shift}, cat(name, "/dense"));
    graph.mark_output(graph.add(Cast{}, {dense}, name));
  };
  branch(half);
  branch(other);

  expect_equal(graph);
}

/// No network has such a softmax: reduce-precision leaves the tail in float32.
TEST_P(CudaHalf, SoftmaxGoesThroughFloat32) {
  Graph graph;
  Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3, 40}}}, {}, "x");
  x = graph.add(Softmax{}, {graph.add(Cast{GetParam()}, {x}, "half")}, "softmax");
  graph.mark_output(graph.add(Cast{}, {x}, "y"));

  expect_equal(graph);
}

/// Into a slice, and out of one: casts are between a network's input and a Concat.
TEST_P(CudaHalf, CastsReadAndWriteSlices) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3, 4, 24}}}, {}, "x");
  const Value left = graph.add(Slice{.begin = 8, .size = 8}, {x}, "left");
  const Value half = graph.add(Cast{GetParam()}, {left}, "half");
  const Value all = graph.add(Concat{3}, {graph.add(Relu{}, {half}, "relu"), half}, "all");
  const Value part = graph.add(Slice{.begin = 3, .size = 10}, {all}, "part");
  graph.mark_output(graph.add(Cast{}, {part}, "y"));
  const auto plan = plan_of(graph, 2);

  expect_equal(graph);

  // The two casts and the Relu: nothing is copied.
  EXPECT_EQ(plan->buckets[0].steps.size(), 3U) << to_string(*plan);
}

INSTANTIATE_TEST_SUITE_P(Types,
                         CudaHalf,
                         testing::Values(DType::kFloat16, DType::kBFloat16),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST(CudaTactics, ThereIsNoCastOfIntegers) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kUInt8, {kBatch, 4}}}, {}, "x");
  graph.mark_output(graph.add(Cast{DType::kFloat16}, {x}, "y"));

  EXPECT_THROW((void)plan_of(graph, 1), Unsupported);
}

}  // namespace
}  // namespace fovea
