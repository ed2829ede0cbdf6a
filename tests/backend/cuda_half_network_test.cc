// Whole networks in every precision of the CUDA backend, emulated: the plan's graph as its
// definition computes it.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/require.h"
#include "engine/graph/random_weights.h"
#include "models/builders/zoo.h"
#include "tests/backend/half_graph.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

DType half_of(Precision precision) {
  return precision == Precision::kFp16 ? DType::kFloat16 : DType::kBFloat16;
}

Graph lenet5(Precision precision) {
  Graph graph = ModelGraphAccess::graph(zoo::find("lenet5").build({28, 28}));
  fill_random_weights(graph, 1, 1.0);
  return test::with_weights_of(graph, half_of(precision));
}

/// From bytes to the best classes: channels that need a pad, a residual sum, a Concat of three
/// branches whose slices others read, pools and a projection between.
class Network {
 public:
  explicit Network(Precision precision) {
    const Value pixels = graph_.add(Input{{DType::kUInt8, {kBatch, 15, 17, 3}}}, {}, "pixels");
    Value x = graph_.add(
        NormalizeImage{normalization_constants(Normalization::kTorch), 0}, {pixels}, "normalize");
    x = convolution(x, 13, 3, 2, "stem");
    x = graph_.add(
        MaxPool{.kernel = {3, 3}, .strides = {2, 2}, .pads = {0, 0, 1, 1}}, {x}, "max_pool");
    const Value inner = convolution(convolution(x, 5, 1, 1, "reduce"), 13, 3, 1, "expand");
    x = graph_.add(Add{}, {inner, x}, "sum");
    x = graph_.add(Relu{}, {x}, "sum_relu");

    const Value left = convolution(x, 16, 1, 1, "left");
    const Value middle = convolution(convolution(x, 6, 1, 1, "narrow"), 8, 3, 1, "middle");
    const Value pool =
        graph_.add(AveragePool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, {left}, "average_pool");
    x = graph_.add(Concat{3}, {left, middle, pool}, "concat");
    x = graph_.add(Add{{.kind = ActivationKind::kRelu}}, {x, parameter({40}, 0.1F)}, "shift");
    x = graph_.add(GlobalPool{}, {x}, "global_pool");
    x = graph_.add(Dense{.bias = true, .activation = {.kind = ActivationKind::kTanh}},
                   {x, parameter({24, 40}, 0.3F), parameter({24}, 0.1F)},
                   "hidden");
    x = graph_.add(
        Dense{.bias = true}, {x, parameter({10, 24}, 0.3F), parameter({10}, 0.1F)}, "scores");
    graph_.mark_output(graph_.add(Softmax{}, {x}, "softmax"), "probabilities");
    graph_ = test::with_weights_of(graph_, half_of(precision));
  }

  [[nodiscard]] const Graph& graph() const { return graph_; }

 private:
  Value parameter(const Shape& shape, float scale) {
    test::Floats values = test::random_floats(num_elements(shape), ++seed_);
    for (float& value : values) value *= scale;
    const TensorDesc desc{DType::kFloat32, shape};
    return graph_.add(
        Constant{desc, Buffer::from(test::to_bytes(desc, values))}, {}, cat("parameter", seed_));
  }

  Value convolution(Value x,
                    std::int64_t filters,
                    std::int64_t kernel,
                    std::int64_t stride,
                    const std::string& name) {
    const std::int64_t channels = graph_.desc(x).shape[3];
    const auto fan_in = static_cast<float>(channels * kernel * kernel);
    const std::int64_t pad = kernel / 2;
    const Conv2d op{.strides = {stride, stride},
                    .pads = {pad, pad, pad, pad},
                    .bias = true,
                    .activation = {.kind = ActivationKind::kRelu}};
    return graph_.add(op,
                      {x,
                       parameter({filters, kernel, kernel, channels}, 1.0F / std::sqrt(fan_in)),
                       parameter({filters}, 0.1F)},
                      name);
  }

  Graph graph_;
  std::uint64_t seed_ = 0;
};

std::shared_ptr<const ExecutionPlan> plan_of(const Graph& graph,
                                             Precision precision,
                                             const std::vector<std::int64_t>& buckets) {
  return compile_plan(
      graph, make_cuda_emu_backend(), {.buckets = buckets, .threads = 1, .precision = precision});
}

/// What the channels of every convolution's input are a multiple of.
std::int64_t common_divisor_of_depths(const Graph& graph) {
  std::int64_t common = 0;
  for (const Node& node : graph.nodes()) {
    if (node.as<Conv2d>() != nullptr) {
      common = std::gcd(common, graph.desc(node.inputs[0]).shape[3]);
    }
  }
  return common;
}

class CudaHalfNetwork : public testing::TestWithParam<Precision> {
 protected:
  /// Every batch size of the buckets and one between, against the plan's graph by definition.
  static void expect_equals_definition(const Graph& graph,
                                       const std::vector<std::int64_t>& buckets) {
    const auto plan = plan_of(graph, GetParam(), buckets);
    std::set<std::int64_t> batches(buckets.begin(), buckets.end());
    batches.insert(3);
    for (const std::int64_t n : batches) {
      SCOPED_TRACE(n);
      const test::NamedFloats inputs = test::random_inputs(graph, n, 7);

      const test::NamedFloats got = test::run_plan(plan, n, inputs);

      for (const auto& [name, values] :
           test::run_graph(plan->graph, make_reference_backend(), n, inputs)) {
        expect_near_halves(got.at(name), values);
      }
    }
  }

 private:
  /// The tail is float32: 1e-6. Before it a sum in float32 ends on the other side of a tie now and
  /// then, which moves one activation, of at most 1 behind its Tanh, by a unit in the last place;
  /// weights and the slope of a softmax make less than an eighth of it, for the ten classes of a
  /// picture. Two pictures of 32 may have one.
  static void expect_near_halves(const test::Floats& got, const test::Floats& want) {
    const float unit = GetParam() == Precision::kFp16 ? 0x1p-11F : 0x1p-8F;
    ASSERT_EQ(got.size(), want.size());
    std::size_t moved = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      const float difference = std::abs(got[i] - want[i]);
      ASSERT_LE(difference, unit / 8) << "element " << i;
      moved += difference > 1e-6F ? 1U : 0U;
    }
    EXPECT_LE(moved, want.size() / 16);
  }
};

TEST_P(CudaHalfNetwork, LeNet5EqualsItsDefinitionInEveryBucket) {
  expect_equals_definition(lenet5(GetParam()), {1, 8, 32});
}

TEST_P(CudaHalfNetwork, BlocksEqualTheirDefinition) {
  expect_equals_definition(Network(GetParam()).graph(), {1, 4});
}

TEST_P(CudaHalfNetwork, ComputesItsBodyInHalfOnPaddedChannelsWithoutACopy) {
  const auto plan = plan_of(Network(GetParam()).graph(), GetParam(), {1});

  const BucketPlan& bucket = plan->buckets[0];
  const DType half = half_of(GetParam());
  const auto writes_half = [&](const PlannedStep& step) {
    return bucket.slots[step.outputs.at(0)].desc.dtype == half;
  };
  const auto is = [](std::string_view tactic) {
    return [tactic](const PlannedStep& step) { return step.tactic == tactic; };
  };
  // All but, behind the last sum, its cast, the scores and their softmax.
  EXPECT_EQ(std::ranges::count_if(bucket.steps, writes_half),
            static_cast<std::ptrdiff_t>(bucket.steps.size()) - 3)
      << to_string(*plan);
  EXPECT_EQ(std::ranges::count_if(bucket.steps, is("cast")), 1) << to_string(*plan);
  EXPECT_EQ(std::ranges::count_if(bucket.steps, is("copy")), 0) << to_string(*plan);
  EXPECT_EQ(common_divisor_of_depths(plan->graph), 8);
}

INSTANTIATE_TEST_SUITE_P(Precisions,
                         CudaHalfNetwork,
                         testing::Values(Precision::kFp16, Precision::kBf16),
                         [](const auto& test) { return std::string(to_string(test.param)); });

/// Only libraries of convolutions have products of fewer bits.
TEST(CudaTf32, OwnKernelsComputeInFloat32) {
  const Graph graph = Network(Precision::kFp16).graph();
  const auto plan = plan_of(graph, Precision::kTf32, {2});
  const test::NamedFloats inputs = test::random_inputs(graph, 2, 7);

  EXPECT_EQ(test::run_plan(plan, 2, inputs),
            test::run_plan(plan_of(graph, Precision::kFp32, {2}), 2, inputs));
  EXPECT_EQ(common_divisor_of_depths(plan->graph), 4);
}

}  // namespace
}  // namespace fovea
