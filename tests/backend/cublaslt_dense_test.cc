// Dense layers of cuBLASLt on the emulated device, by a cuBLASLt that multiplies on the host.
#include "engine/backend/cuda/cublaslt_dense.h"

#include <algorithm>
#include <array>
#include <set>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/no_dense.h"
#include "engine/backend/weight_store.h"
#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "kernels/simt/stream.h"
#include "tests/backend/conformance.h"
#include "tests/backend/half_graph.h"
#include "tests/backend/tactic_slices.h"
#include "tests/support/cublaslt_failures.h"
#include "tests/support/errors.h"
#include "tests/support/fake_cublaslt.h"

namespace fovea {
namespace {

using Strings = std::vector<std::string>;

constexpr int kHopper = 90;
constexpr std::int64_t kManyRows = 9;  // too many for the kernel of a few

/// An algorithm for elements of any size.
test::FakeAlgorithm algorithm(std::uint32_t id) {
  return {.algorithm = {.config = {id, 20, 1, 0, 0, 0, 0, 0, 0}}, .alignment = 2};
}

/// One that needs a workspace.
test::FakeAlgorithm split_algorithm(std::uint32_t id) {
  test::FakeAlgorithm split = algorithm(id);
  split.algorithm.config[2] = 4;
  split.algorithm.config[3] = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  split.workspace_bytes = 512;
  return split;
}

Graph dense(std::int64_t inputs, std::int64_t outputs, const Dense& op) {
  Graph graph;
  const auto constant = [&](const Shape& shape, const char* name, std::uint64_t seed) {
    const test::Floats values = test::random_floats(num_elements(shape), seed);
    return graph.add(make_constant(shape, values), {}, name);
  };
  std::vector<Value> operands{graph.add(Input{{DType::kFloat32, {kBatch, inputs}}}, {}, "x"),
                              constant({outputs, inputs}, "weights", 1)};
  if (op.bias) operands.push_back(constant({outputs}, "bias", 2));
  graph.mark_output(graph.add(op, operands, "op"), "y");
  return graph;
}

constexpr Activation kRelu{.kind = ActivationKind::kRelu};

/// The cases of op_cases() that have a Dense.
std::vector<test::OpCase> dense_cases() {
  std::vector<test::OpCase> cases;
  std::ranges::copy_if(
      test::op_cases(), std::back_inserter(cases), [](const test::OpCase& op_case) {
        const Graph graph = op_case.build();
        return std::ranges::any_of(graph.nodes(),
                                   [](const Node& node) { return node.as<Dense>() != nullptr; });
      });
  return cases;
}

Strings names_of(const std::vector<Tactic>& tactics) {
  Strings names;
  for (const Tactic& tactic : tactics) names.push_back(tactic.name);
  return names;
}

class CublasLtDenseTest : public testing::Test {
 protected:
  CublasLtDenseTest() {
    fake_.proposals = {algorithm(1), split_algorithm(2)};
    fake_.run = [](const test::FakeMultiplication& run) {
      simt::enqueue(run.stream, [run] { test::multiply_on_host(run); });
    };
  }

  void TearDown() override {
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  [[nodiscard]] std::unique_ptr<Backend> backend() const {
    return cuda::make_backend(
        "cuda", {.dense = cuda::make_cublaslt_dense(fake_.library())}, kHopper);
  }

  [[nodiscard]] std::vector<Tactic> tactics(const Graph& graph, std::int64_t rows) const {
    const Graph concrete = with_batch(graph, rows);
    return backend()->tactics(test::sites_of(concrete, 1).at(0));
  }

  /// Every tactic of every Dense of the graph, from a slice into a slice, against the definition.
  /// Returns of how many cuBLASLt computed.
  [[nodiscard]] std::size_t expect_definition(const Graph& graph,
                                              bool tf32,
                                              float tolerance,
                                              double relative) const {
    const std::size_t before = fake_.record().runs.size();
    for (OpSite& site : test::sites_of(graph, 1)) {
      if (site.node.as<Dense>() == nullptr) continue;
      site.tf32 = tf32;
      test::expect_equal_to_definition(*backend(), site, tolerance, relative);
    }
    return fake_.record().runs.size() - before;
  }

  test::FakeCublasLt fake_;
};

TEST_F(CublasLtDenseTest, EqualsTheDefinitionForEveryCase) {
  std::size_t computed = 0;
  for (const test::OpCase& op_case : dense_cases()) {
    SCOPED_TRACE(op_case.name);
    for (const Graph& graph : test::graphs_of(op_case, *backend())) {
      computed += expect_definition(graph, false, op_case.tolerance, 0);
    }
  }
  EXPECT_GT(computed, 0U);
}

TEST_F(CublasLtDenseTest, EqualsTheDefinitionInTf32) {
  constexpr std::int64_t kInputs = 40;
  const Graph graph = with_batch(dense(kInputs, 7, {.bias = true}), 3);

  // Both factors, below 2, are off by 2^-11 of themselves.
  EXPECT_EQ(expect_definition(graph, true, kInputs * 4 * 2 * 0x1p-11F, 0), 2U);

  for (const test::FakeMultiplication& run : fake_.record().runs) {
    EXPECT_EQ(run.product.compute, CUBLAS_COMPUTE_32F_FAST_TF32);
  }
}

TEST_F(CublasLtDenseTest, EqualsTheDefinitionInHalf) {
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    std::size_t computed = 0;
    const float unit = test::unit_in_the_last_place(half);
    for (const test::OpCase& op_case : dense_cases()) {
      SCOPED_TRACE(cat(op_case.name, ' ', to_string(half)));
      const Graph graph = with_batch(test::in_half(op_case.build(), half), 3);
      // A bias below 2 is rounded, and the sum once more.
      computed += expect_definition(graph, false, op_case.tolerance + unit, unit);
    }
    EXPECT_GT(computed, 0U);
  }
}

/// From the host and back, as a plan chooses.
TEST_F(CublasLtDenseTest, PlansOfManyRowsTakeIt) {
  const std::shared_ptr<const Backend> shared = backend();
  const Graph graph = dense(24, 10, {.bias = true, .activation = kRelu});
  const test::NamedFloats inputs = test::random_inputs(graph, kManyRows, 5);

  test::expect_equals_reference(graph, shared, kManyRows, inputs, 24 * 24 * 4 * 0x1p-24F);

  const test::FakeCublasLtRecord record = fake_.record();
  ASSERT_EQ(record.runs.size(), 1U);
  EXPECT_EQ(record.runs[0].algorithm.config[0], 1U);
  EXPECT_NE(record.runs[0].stream, nullptr);
}

TEST_F(CublasLtDenseTest, AFewRowsAreForOurOwnKernelFirst) {
  const Graph graph = dense(24, 10, {.bias = true});
  const Strings library{"cublaslt:alg1:tile20", "cublaslt:alg2:tile20:split4:reduce2"};

  EXPECT_EQ(names_of(tactics(graph, kManyRows - 1)),
            (Strings{"dense:few-rows", library[0], library[1], "dense:warp"}));
  EXPECT_EQ(names_of(tactics(graph, kManyRows)), (Strings{library[0], library[1], "dense:warp"}));
}

/// As a note tells where a plan of many rows could be faster.
TEST_F(CublasLtDenseTest, ThatThereIsNoneIsSaidOfManyRows) {
  const auto without =
      cuda::make_backend("cuda", {.dense = std::make_unique<cuda::NoDense>("it is lost")}, kHopper);
  const auto refusal = [&](const Backend& backend, std::int64_t rows) {
    const Graph graph = with_batch(dense(24, 10, {.bias = true}), rows);
    return backend.refusal(test::sites_of(graph, 1).at(0));
  };

  EXPECT_EQ(refusal(*without, kManyRows), "it is lost");
  EXPECT_EQ(refusal(*without, kManyRows - 1), "");
  EXPECT_EQ(refusal(*backend(), kManyRows), "");
}

TEST_F(CublasLtDenseTest, IsForConstantsWithoutActivationsOrWithRelu) {
  constexpr Activation kClip{.kind = ActivationKind::kClip, .lo = 0, .hi = 6};
  EXPECT_EQ(names_of(tactics(dense(24, 10, {.activation = kClip}), kManyRows)),
            Strings{"dense:warp"});
  constexpr Activation kSigmoid{.kind = ActivationKind::kSigmoid};
  EXPECT_EQ(names_of(tactics(dense(24, 10, {.activation = kSigmoid}), kManyRows)),
            Strings{"dense:warp"});

  Graph computed;
  const Value x = computed.add(Input{{DType::kFloat32, {kManyRows, 24}}}, {}, "x");
  const Value w = computed.add(Input{{DType::kFloat32, {10, 24}}}, {}, "w");
  computed.mark_output(computed.add(Dense{}, {x, w}, "op"), "y");
  EXPECT_EQ(names_of(tactics(computed, kManyRows)), Strings{"dense:warp"});
}

TEST_F(CublasLtDenseTest, WithoutAnAlgorithmOurOwnKernelsCompute) {
  fake_.proposals.clear();

  EXPECT_EQ(names_of(tactics(dense(24, 10, {}), kManyRows)), Strings{"dense:warp"});
}

TEST_F(CublasLtDenseTest, ANameStandsForAnAlgorithm) {
  const Graph graph = dense(24, 10, {.bias = true});
  const test::NamedFloats inputs = test::random_inputs(graph, kManyRows, 5);
  const auto run = [&](const TacticOptions& options) {
    const auto plan = compile_plan(graph, backend(), {.buckets = {kManyRows}, .tactics = options});
    (void)test::run_plan(plan, kManyRows, inputs);
    return plan->tactics.notices;
  };

  EXPECT_EQ(run({.forced = {{"op", "cublaslt:alg2:tile20:split4:reduce2"}}}), Strings{});
  EXPECT_EQ(fake_.record().runs.back().algorithm.config[0], 2U);
  EXPECT_NE(fake_.record().runs.back().workspace, nullptr);

  // A plan file of another version of cuBLASLt.
  const Strings notices =
      run({.planned_locks = {{"op", {{kEveryBatch, "cublaslt:alg66:tile20:stages35"}}}}});
  EXPECT_EQ(notices.size(), 1U);
  EXPECT_EQ(fake_.record().runs.back().algorithm.config[0], 1U);
}

TEST_F(CublasLtDenseTest, ASliceThatAnAlgorithmDoesNotTakeIsForAnother) {
  fake_.proposals = {algorithm(1), algorithm(2)};
  fake_.proposals[0].alignment = 16;  // slice_of() begins at 12 bytes
  const Graph graph = with_batch(dense(24, 10, {.bias = true}), 3);
  OpSite site = test::sites_of(graph, 1).at(0);
  site.inputs[0] = Layout{};
  const auto device = backend();
  const std::vector<Tactic> tactics = device->tactics(site);
  const auto tactic = std::ranges::find(tactics, "cublaslt:alg1:tile20", &Tactic::name);
  ASSERT_NE(tactic, tactics.end());
  const auto algorithm_for = [&](const Layout& output) {
    (void)test::run_tactic(*device, site, *tactic, {output}, test::values_of(site));
    return fake_.record().runs.back().algorithm.config[0];
  };

  EXPECT_EQ(algorithm_for(Layout{}), 1U);
  EXPECT_EQ(algorithm_for(test::slice_of(site.node.outputs[0])), 2U);

  fake_.proposals.pop_back();
  test::expect_error(ErrorCode::kDeviceFailed,
                     "cuBLASLt: no algorithm for f32[3,24] x24@16 [10] y15@4 bias",
                     [&] { (void)algorithm_for(test::slice_of(site.node.outputs[0])); });
}

TEST_F(CublasLtDenseTest, OneHandleServesAStream) {
  Graph graph = dense(12, 12, {.activation = kRelu});
  const NodeId first = graph.find("op");
  const Value second = graph.add(Dense{}, {{first, 0}, graph.node(first).inputs[1]}, "second");
  graph.mark_output(second, "z");
  const test::NamedFloats inputs = test::random_inputs(graph, kManyRows, 5);

  (void)test::run_graph(graph, backend(), kManyRows, inputs);

  const auto runs = fake_.record().runs;
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].handle, runs[1].handle);
}

TEST_F(CublasLtDenseTest, NamesItsVersion) {
  EXPECT_NE(backend()->fingerprint().find("; cuBLASLt 13.0.0-fake; "), std::string::npos);
}

/// Whatever call fails, from the first question to the last product: the error is typed, nothing is
/// left behind and nothing more is called.
TEST(CublasLtDenseFailures, EndACompilationOrARun) {
  const Graph graph = dense(24, 10, {.bias = true, .activation = kRelu});
  const test::NamedFloats inputs = test::random_inputs(graph, kManyRows, 5);
  const auto work = [&](const test::FakeCublasLt& fake) {
    auto backend =
        cuda::make_backend("cuda", {.dense = cuda::make_cublaslt_dense(fake.library())}, kHopper);
    (void)test::run_graph(graph, std::move(backend), kManyRows, inputs);
  };
  EXPECT_GT(test::expect_failing_calls_end({algorithm(1)}, work), 30);
}

TEST(CublasLtShapes, OfferWithoutADevice) {
  test::FakeCublasLt fake;
  fake.failing_call = 0;
  const auto shapes = cuda::make_cublaslt_shapes(fake.library());
  const Graph graph = with_batch(dense(24, 10, {.bias = true, .activation = kRelu}), kManyRows);
  const OpSite site = test::sites_of(graph, 1).at(0);

  const std::vector<Tactic> tactics = shapes->tactics(site);

  ASSERT_EQ(names_of(tactics), Strings{"cublaslt:best-1"});
  EXPECT_EQ(tactics[0].inputs[0], site.inputs[0]);
  EXPECT_TRUE(tactics[0].writes_slices);
  EXPECT_EQ(fake.record().calls, 0);
  const auto backend = make_cuda_emu_backend();
  WeightStore weights(*backend);
  test::expect_error(ErrorCode::kDeviceNone, "node 'op' is computed by an algorithm", [&] {
    (void)tactics[0].build({tactics[0].inputs, tactics[0].outputs, weights});
  });
  constexpr Activation kClip{.kind = ActivationKind::kClip, .lo = 0, .hi = 6};
  const Graph clipped = with_batch(dense(24, 10, {.activation = kClip}), kManyRows);
  EXPECT_EQ(names_of(shapes->tactics(test::sites_of(clipped, 1).at(0))), Strings{});
}

}  // namespace
}  // namespace fovea
