// One small residual network from input to top-k on the emulated CUDA backend: plan, arena, slices,
// buckets, capture and replay, in every schedule of the emulator.
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "engine/runtime/execution_context.h"
#include "kernels/simt/emulator.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

/// Rounding of about 20 layers in float32 against double; activations are of the order of 1.
constexpr float kTolerance = 1e-5F;

constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kBest = 3;

/// Adds layers with weights that keep activations of the order of 1.
class Network {
 public:
  Value convolution(Value x, std::int64_t filters, std::int64_t kernel, std::int64_t stride) {
    const std::int64_t channels = graph.desc(x).shape[3];
    const auto fan_in = static_cast<float>(channels * kernel * kernel);
    const std::int64_t pad = kernel / 2;
    const Conv2d op{.strides = {stride, stride}, .pads = {pad, pad, pad, pad}, .bias = true};
    return graph.add(op,
                     {x,
                      parameter({filters, kernel, kernel, channels}, 1.0F / std::sqrt(fan_in)),
                      parameter({filters}, 0.1F)},
                     name("conv"));
  }

  Value relu(Value x) { return graph.add(Relu{}, {x}, name("relu")); }

  Value add(Value a, Value b) { return graph.add(Add{}, {a, b}, name("add")); }

  Value parameter(const Shape& shape, float scale) {
    test::Floats values = test::random_floats(num_elements(shape), ++seed_);
    for (float& value : values) value *= scale;
    return graph.add(make_constant(shape, values), {}, name("parameter"));
  }

  std::string name(const std::string& kind) { return kind + std::to_string(++count_); }

  Graph graph;

 private:
  std::uint64_t seed_ = 0;
  int count_ = 0;
};

Graph residual_network() {
  Network net;
  Value x = net.graph.add(Input{{DType::kFloat32, {kBatch, 17, 19, 3}}}, {}, "image");
  x = net.relu(net.convolution(x, 8, 3, 2));
  x = net.graph.add(
      MaxPool{.kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 1, 1, 1}}, {x}, "max-pool");

  Value branch = net.convolution(net.relu(net.convolution(x, 8, 3, 1)), 8, 3, 1);
  x = net.relu(net.add(branch, x));

  branch = net.convolution(net.relu(net.convolution(x, 16, 3, 2)), 16, 3, 1);
  x = net.relu(net.add(branch, net.convolution(x, 16, 1, 2)));

  const Value left = net.relu(net.convolution(x, 12, 1, 1));
  const Value middle =
      net.graph.add(AveragePool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, {x}, "average-pool");
  const Value right = net.convolution(x, 20, 3, 1);
  x = net.graph.add(Concat{3}, {left, middle, right}, "concat");

  // A slice that several read, one of them in the layout of the whole.
  x = net.graph.add(Add{{.kind = ActivationKind::kRelu}}, {x, net.parameter({48}, 0.1F)}, "shift");
  x = net.graph.add(GlobalPool{}, {x}, "global-pool");
  x = net.graph.add(Dense{.bias = true},
                    {x, net.parameter({kClasses, 48}, 0.3F), net.parameter({kClasses}, 0.1F)},
                    "dense");
  const Value probabilities = net.graph.add(Softmax{}, {x}, "softmax");
  const Value best = net.graph.add(TopK{kBest}, {probabilities}, "top-k");
  net.graph.mark_output(probabilities, "probabilities");
  net.graph.mark_output(best, "values");
  net.graph.mark_output({best.node, 1}, "indices");
  return std::move(net.graph);
}

std::shared_ptr<const ExecutionPlan> plan_of(const Graph& graph,
                                             const std::vector<std::int64_t>& buckets) {
  return compile_plan(graph, make_cuda_emu_backend(), {.buckets = buckets, .threads = 1});
}

/// Tactics of the plan's steps.
std::multiset<std::string> tactics_of(const ExecutionPlan& plan) {
  std::multiset<std::string> tactics;
  for (const BucketPlan& bucket : plan.buckets) {
    for (const PlannedStep& step : bucket.steps) tactics.insert(step.tactic);
  }
  return tactics;
}

void expect_equal(const test::NamedFloats& got, const test::NamedFloats& want) {
  for (const auto& [name, values] : want) {
    const float tolerance = name == "indices" ? 0.0F : kTolerance;
    ASSERT_EQ(got.at(name).size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_LE(std::abs(got.at(name)[i] - values[i]), tolerance) << name << " at element " << i;
    }
  }
}

/// Runs n pictures of residual_network() in a context that may have run before.
test::NamedFloats run(ExecutionContext& context, std::int64_t n, const test::NamedFloats& inputs) {
  const auto count = static_cast<std::size_t>(n);
  test::Floats probabilities(count * kClasses);
  test::Floats values(count * kBest);
  std::vector<std::int32_t> indices(count * kBest);
  const std::vector<std::span<const std::byte>> in{std::as_bytes(std::span(inputs.at("image")))};
  const std::vector<std::span<std::byte>> out{std::as_writable_bytes(std::span(probabilities)),
                                              std::as_writable_bytes(std::span(values)),
                                              std::as_writable_bytes(std::span(indices))};
  context.run(n, in, out);
  return {{"probabilities", probabilities},
          {"values", values},
          {"indices", {indices.begin(), indices.end()}}};
}

class CudaSlice : public testing::TestWithParam<simt::Schedule> {
 protected:
  void SetUp() override { simt::set_schedule(GetParam()); }

  void TearDown() override { simt::set_schedule(simt::Schedule::kForward); }

  const Graph graph_ = residual_network();
};

TEST_P(CudaSlice, EqualsTheReferenceInEveryBucket) {
  const auto plan = plan_of(graph_, {1, 4});
  for (const std::int64_t n : {1, 2, 3, 4}) {
    SCOPED_TRACE(n);
    const test::NamedFloats inputs = test::random_inputs(graph_, n, static_cast<std::uint64_t>(n));

    const test::NamedFloats got = test::run_plan(plan, n, inputs);

    expect_equal(got, test::run_graph(graph_, make_reference_backend(), n, inputs));
  }
}

TEST_P(CudaSlice, ReplaysItsCaptureForEveryRun) {
  ExecutionContext context(plan_of(graph_, {1, 4}));
  for (const std::int64_t n : {4, 1, 3, 1, 4}) {
    SCOPED_TRACE(n);
    const auto seed = static_cast<std::uint64_t>(n) + 10;
    const test::NamedFloats inputs = test::random_inputs(graph_, n, seed);

    expect_equal(run(context, n, inputs),
                 test::run_graph(graph_, make_reference_backend(), n, inputs));
  }
}

TEST_P(CudaSlice, ContextsOfOnePlanKeepTheirAddressesApart) {
  const auto plan = plan_of(graph_, {2});
  ExecutionContext first(plan);
  ExecutionContext second(plan);
  for (ExecutionContext* context : {&first, &second, &first}) {
    const std::uint64_t seed = context == &first ? 21 : 22;
    const test::NamedFloats inputs = test::random_inputs(graph_, 2, seed);

    expect_equal(run(*context, 2, inputs),
                 test::run_graph(graph_, make_reference_backend(), 2, inputs));
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules,
                         CudaSlice,
                         testing::Values(simt::Schedule::kForward,
                                         simt::Schedule::kReverse,
                                         simt::Schedule::kRandom));

TEST(CudaSlicePlan, BucketsShareOneCopyOfTheWeights) {
  const Graph graph = residual_network();
  EXPECT_EQ(plan_of(graph, {1, 4})->weight_bytes, plan_of(graph, {1})->weight_bytes);
}

TEST(CudaSlicePlan, ConcatenationIsOnlyAPlace) {
  const auto plan = plan_of(residual_network(), {1});

  const std::multiset<std::string> tactics = tactics_of(*plan);

  EXPECT_EQ(tactics.count("copy"), 0U) << to_string(*plan);
  EXPECT_EQ(tactics.count("concat:copies"), 0U) << to_string(*plan);
  const std::string text = to_string(*plan);
  for (const char* slice : {"slice +0/48", "slice +12/48", "slice +28/48"}) {
    EXPECT_NE(text.find(slice), std::string::npos) << slice << " is not in\n" << text;
  }
}

TEST(CudaSlicePlan, ResidualSumsAndActivationsAreInsideConvolutions) {
  const auto plan = plan_of(residual_network(), {1});

  const std::multiset<std::string> tactics = tactics_of(*plan);

  EXPECT_EQ(tactics.count("evaluate"), 8U) << to_string(*plan);
  EXPECT_EQ(tactics.count("epilogue:add"), 1U) << to_string(*plan);
  EXPECT_EQ(tactics.count("epilogue:activation"), 0U) << to_string(*plan);
}

TEST(CudaSlicePlan, ConcatenationsNestAndAreSharedWithTheirReaders) {
  Network net;
  const Value x = net.graph.add(Input{{DType::kFloat32, {kBatch, 4, 5, 6}}}, {}, "image");
  const Value a = net.convolution(x, 3, 1, 1);
  const Value b = net.convolution(x, 5, 1, 1);
  const Value whole = net.graph.add(Concat{3}, {a, b}, "concat");
  const Value again =
      net.graph.add(Concat{3}, {net.relu(whole), net.convolution(whole, 8, 3, 1)}, "outer");
  net.graph.mark_output(net.add(net.convolution(again, 16, 1, 1), again), "y");
  const test::NamedFloats inputs = test::random_inputs(net.graph, 2, 1);

  const test::NamedFloats got = test::run_plan(plan_of(net.graph, {2}), 2, inputs);

  expect_equal(got, test::run_graph(net.graph, make_reference_backend(), 2, inputs));
}

}  // namespace
}  // namespace fovea
