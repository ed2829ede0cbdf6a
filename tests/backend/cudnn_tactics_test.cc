// Tactics and steps of cuDNN on the emulated device, by a cuDNN whose plans compute Conv2d by its
// definition, at the addresses and strides that they were given.
#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/weight_store.h"
#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "kernels/simt/stream.h"
#include "tests/backend/one_convolution.h"
#include "tests/support/errors.h"
#include "tests/support/fake_cudnn.h"
#include "tests/support/kept_tactics.h"
#include "tests/support/meeting.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using cuda::CudnnTensor;
using Strings = std::vector<std::string>;

test::FakeEngine engine(std::int64_t index) {
  return {.engine = {index, {{2, 7}}}, .workspace_bytes = 100};
}

constexpr int kHopper = 90;

/// The backend with this library's tactics alone for convolutions.
std::unique_ptr<Backend> of_cudnn(std::unique_ptr<const cuda::ConvolutionLibrary> library) {
  return std::make_unique<test::KeptTactics>(
      cuda::make_backend("cuda", {.convolutions = std::move(library)}, kHopper),
      [](const std::string& name) { return name.starts_with("cudnn:"); });
}

class CudnnTacticsTest : public testing::Test {
 protected:
  CudnnTacticsTest() {
    fake_.run = [this](const test::FakeRun& run) {
      simt::enqueue(run.stream, [this, run] { compute(run); });
      return CUDNN_STATUS_SUCCESS;
    };
  }

  void TearDown() override {
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  /// With kernels of our own behind cuDNN's.
  [[nodiscard]] std::shared_ptr<const Backend> whole_backend() const {
    return cuda::make_backend(
        "cuda", {.convolutions = cuda::make_cudnn_convolutions(fake_.library(), {})}, kHopper);
  }

  [[nodiscard]] std::unique_ptr<Backend> backend() const {
    return of_cudnn(cuda::make_cudnn_convolutions(fake_.library(), {}));
  }

  /// Also the channel behind every pixel of a slice where `spills_`.
  void compute(const test::FakeRun& run) const {
    test::evaluate(run);
    const test::FakeTensor& y = run.plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kY));
    const std::int64_t channels = y.dims[1];
    const std::int64_t stride = y.strides[3];
    if (!spills_ || stride == channels) return;
    auto* const pixels =
        static_cast<float*>(run.addresses.at(static_cast<std::int64_t>(CudnnTensor::kY)));
    for (std::int64_t pixel = 0; pixel < y.dims[0] * y.dims[2] * y.dims[3]; ++pixel) {
      pixels[pixel * stride + channels] = 0;
    }
  }

  /// Runs two pictures of the graph and expects what the reference gives.
  void expect_same_as_reference(const Graph& graph) const {
    const test::NamedFloats inputs = test::random_inputs(graph, 2, 5);
    const test::NamedFloats want = test::run_graph(graph, make_reference_backend(), 2, inputs);
    const test::NamedFloats got = test::run_graph(graph, backend(), 2, inputs);
    EXPECT_EQ(got, want);  // by the very same function
  }

  test::FakeCudnn fake_;
  bool spills_ = false;
};

TEST_F(CudnnTacticsTest, StepsComputeWithEverythingThatIsFused) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const Conv2d op{.strides = {2, 1},
                  .dilations = {1, 2},
                  .pads = {1, 0, 0, 3},
                  .groups = 2,
                  .bias = true,
                  .residual = true,
                  .activation = test::kRelu};

  expect_same_as_reference(test::one_convolution({kBatch, 7, 9, 8}, {3, 2}, 6, op, 1));

  const test::FakeRecord record = fake_.record();
  ASSERT_EQ(record.runs.size(), 1U);
  EXPECT_NE(record.runs[0].workspace, nullptr);
  EXPECT_NE(record.runs[0].stream, nullptr);
}

TEST_F(CudnnTacticsTest, OneHandleServesAStream) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const Conv2d op{.activation = test::kRelu};
  Graph graph = test::one_convolution({kBatch, 4, 4, 8}, {1, 1}, 8, op, 1);
  const NodeId first = graph.find("conv");
  const Value second = graph.add(op, {{first, 0}, graph.node(first).inputs[1]}, "second");
  graph.mark_output(second, "z");

  expect_same_as_reference(graph);

  const auto runs = fake_.record().runs;
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].handle, runs[1].handle);
}

/// Two convolutions side by side, and their Concat.
Graph two_side_by_side(const Conv2d& op) {
  Graph result;
  const Value x = result.add(Input{{DType::kFloat32, {kBatch, 4, 5, 8}}}, {}, "x");
  const auto weights = [&](const char* name, std::uint64_t seed) {
    return result.add(make_constant({8, 1, 1, 8}, test::random_floats(64, seed)), {}, name);
  };
  const Value a = result.add(op, {x, weights("wa", 1)}, "a");
  const Value b = result.add(op, {x, weights("wb", 2)}, "b");
  result.mark_output(result.add(Concat{3}, {a, b}, "both"), "y");
  return result;
}

TEST_F(CudnnTacticsTest, WritesSlicesInPlace) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const Conv2d op{.activation = test::kRelu};

  expect_same_as_reference(two_side_by_side(op));

  const auto runs = fake_.record().runs;
  ASSERT_EQ(runs.size(), 3U) << "one plan for both, which is tried once";
  for (const auto& run : runs) {
    EXPECT_EQ(run.plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kY)).strides[3], 16);
  }
}

/// They are not asked for with strides of other than the output's.
TEST_F(CudnnTacticsTest, AResultWithAResidualIsCopiedToItsSlice) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const Conv2d op{.residual = true, .activation = test::kRelu};
  Graph graph = test::one_convolution({kBatch, 4, 5, 8}, {1, 1}, 8, op, 1);
  const Value conv{graph.find("conv"), 0};
  const Value x = graph.node(conv.node).inputs[0];
  graph.mark_output(graph.add(Concat{3}, {conv, x}, "both"), "z");

  expect_same_as_reference(graph);

  const auto runs = fake_.record().runs;
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kY)).strides[3], 8);
}

TEST_F(CudnnTacticsTest, CopiesFromPlansThatSpill) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const Conv2d op{.activation = test::kRelu};
  spills_ = true;

  expect_same_as_reference(two_side_by_side(op));

  const auto runs = fake_.record().runs;
  ASSERT_EQ(runs.size(), 3U);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i].plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kY)).strides[3], 8);
  }
}

TEST_F(CudnnTacticsTest, CopiesWhereAnEngineTakesNoStrides) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const Conv2d op{.activation = test::kRelu};
  fake_.build = [](const test::FakePlan& plan) {
    const auto& y = plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kY));
    return y.strides[3] == y.dims[1] ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED_LAYOUT;
  };

  expect_same_as_reference(two_side_by_side(op));

  EXPECT_EQ(fake_.record().runs.size(), 2U) << "there is nothing to try";
}

TEST_F(CudnnTacticsTest, ASliceWithoutMemoryIsNoRefusal) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  fake_.build = [](const test::FakePlan& plan) {
    const auto& y = plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kY));
    return y.strides[3] == y.dims[1] ? CUDNN_STATUS_SUCCESS
                                     : CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  };
  const Graph graph = test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {}, 1);
  const auto cuda = backend();
  const std::vector<Layout> dense(2);
  const std::vector<Tactic> tactics =
      cuda->tactics({.graph = graph, .node = graph.node(graph.find("conv")), .inputs = dense});
  ASSERT_EQ(tactics.size(), 1U);
  WeightStore weights(*cuda);
  const Layout slice = Layout::sliced(16, 8);

  test::expect_error(ErrorCode::kDeviceOutOfMemory, "building a plan", [&] {
    (void)tactics[0].build({dense, {&slice, 1}, weights});
  });
}

/// The names that the backend offers for a convolution of these pictures.
Strings names(const Backend& backend, const Graph& graph) {
  Strings names;
  const Node& node = graph.node(graph.find("conv"));
  const OpSite site{
      .graph = graph, .node = node, .inputs = std::vector<Layout>(node.inputs.size())};
  for (const Tactic& tactic : backend.tactics(site)) names.push_back(tactic.name);
  return names;
}

TEST_F(CudnnTacticsTest, BuildsOnlyTheFirstThatIsSupported) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2), engine(3)};
  fake_.proposals[CUDNN_HEUR_MODE_FALLBACK] = {engine(4)};
  fake_.build = [](const test::FakePlan& plan) {
    return plan.engine.index == 1 ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
  };
  const Graph graph =
      test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {.bias = true}, 1, DType::kFloat16);

  EXPECT_EQ(names(*backend(), graph),
            (Strings{"cudnn:bo:eng2:k2.7",
                     "cudnn:bo:eng3:k2.7",
                     "cudnn:bf:best-1",
                     "cudnn:bf:best-2",
                     "cudnn:bf:best-3",
                     "cudnn:bo:eng4:k2.7"}));
  EXPECT_EQ(fake_.record().built.size(), 1U);
}

TEST_F(CudnnTacticsTest, FallsBackWhereHeuristicsHaveNothing) {
  fake_.proposals[CUDNN_HEUR_MODE_FALLBACK] = {engine(4)};
  const Graph graph = test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {.bias = true}, 1);

  EXPECT_EQ(names(*backend(), graph), Strings{"cudnn:bo:eng4:k2.7"});
}

TEST_F(CudnnTacticsTest, TheSecondPlanBringsAllOthers) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2), engine(3)};
  const auto cuda = backend();
  const Graph graph = test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {}, 1);
  const Node& node = graph.node(graph.find("conv"));
  const std::vector<Layout> dense(2);
  const std::vector<Tactic> tactics =
      cuda->tactics({.graph = graph, .node = node, .inputs = dense});
  ASSERT_EQ(tactics.size(), 3U);
  WeightStore weights(*cuda);
  const BuildArgs args{dense, std::span(dense).first(1), weights};

  (void)tactics[0].build(args);
  EXPECT_EQ(fake_.record().built.size(), 1U);
  (void)tactics[2].build(args);
  EXPECT_EQ(fake_.record().built.size(), 3U);
  (void)tactics[1].build(args);
  EXPECT_EQ(fake_.record().built.size(), 3U);
}

TEST_F(CudnnTacticsTest, PlansThatNoStepHasGoWithTheTactics) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2), engine(3)};
  const auto cuda = backend();
  const Graph graph = test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {}, 1);
  const std::vector<Layout> dense(2);
  const OpSite site{.graph = graph, .node = graph.node(graph.find("conv")), .inputs = dense};
  WeightStore weights(*cuda);
  const BuildArgs args{dense, std::span(dense).first(1), weights};
  std::unique_ptr<Step> kept;
  std::int64_t live = 0;
  {
    const std::vector<Tactic> tactics = cuda->tactics(site);
    for (const Tactic& tactic : tactics) kept = tactic.build(args);
    EXPECT_EQ(fake_.record().built.size(), 3U);
    live = fake_.record().live_objects;
  }
  EXPECT_LT(fake_.record().live_objects, live);

  const std::vector<Tactic> again = cuda->tactics(site);
  (void)again.at(0).build(args);
  EXPECT_EQ(fake_.record().built.size(), 3U) << "equal sites are judged by the first";
  (void)again.at(2).build(args);
  EXPECT_EQ(fake_.record().built.size(), 4U) << "the last is that of the step";
  EXPECT_EQ(fake_.record().built.back().engine.index, 2);
}

TEST_F(CudnnTacticsTest, ARankIsAnEngineOnceItIsBuilt) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1), engine(2)};
  for (auto& proposed : fake_.proposals[CUDNN_HEUR_MODE_A]) proposed.workspace_bytes = 0;
  const auto cuda = backend();
  const Graph graph =
      test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {.bias = true}, 1, DType::kFloat16);
  const Node& node = graph.node(graph.find("conv"));
  const std::vector<Layout> dense(3);
  const std::vector<Tactic> tactics =
      cuda->tactics({.graph = graph, .node = node, .inputs = dense});
  ASSERT_EQ(tactics.size(), 5U);
  WeightStore weights(*cuda);
  const BuildArgs args{dense, std::span(dense).first(1), weights};

  (void)tactics[3].build(args);
  const test::FakePlan plan = fake_.record().built.back();
  EXPECT_EQ(plan.engine.index, 2);
  EXPECT_EQ(plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kBias)).type, CUDNN_DATA_FLOAT);
  test::expect_error(ErrorCode::kDeviceFailed, "for cudnn:bf:best-3 it has only 2 engines", [&] {
    (void)tactics[4].build(args);
  });
}

TEST_F(CudnnTacticsTest, SaysWhyThereIsNone) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  fake_.build = [](const test::FakePlan&) { return CUDNN_STATUS_NOT_SUPPORTED; };
  fake_.logged_reason = "the moon is full";
  const auto library = cuda::make_cudnn_convolutions(fake_.library(), {});
  const auto reason = [&](const Conv2d& op) {
    const Graph graph = test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, op, 1);
    const Node& node = graph.node(graph.find("conv"));
    const OpSite site{.graph = graph, .node = node, .inputs = std::vector<Layout>(2)};
    EXPECT_TRUE(library->tactics(site).empty());
    return library->why_none(site);
  };

  EXPECT_EQ(reason({}),
            "cudnn:eng1:k2.7: cuDNN: building a plan: FAKE_STATUS_3000: the moon is full");
  EXPECT_EQ(reason({.activation = test::kRelu, .activation_channels = 4}),
            "cuDNN has no such activation, element type or layout");
  EXPECT_EQ(backend()->traits().partial_activations, 0U);
}

/// A convolution of the second half of `channels` channels that another one computes.
Graph of_a_slice(const Shape& picture, std::int64_t channels) {
  const std::int64_t half = channels / 2;
  Graph result;
  const Value x = result.add(Input{{DType::kFloat32, picture}}, {}, "x");
  const auto weights = [&](Shape shape, const char* name) {
    test::Floats values = test::random_floats(num_elements(shape), 1);
    return result.add(make_constant(std::move(shape), std::move(values)), {}, name);
  };
  const Value all = result.add(Conv2d{}, {x, weights({channels, 1, 1, picture[3]}, "wa")}, "all");
  const Value slice = result.add(Slice{.axis = 3, .begin = half, .size = half}, {all}, "slice");
  const Conv2d op{.pads = {1, 1, 1, 1}};
  result.mark_output(result.add(op, {slice, weights({half, 3, 3, half}, "wb")}, "conv"), "y");
  return result;
}

/// Where cuDNN reads no slices, it is worth a copy for what takes long, and for that alone.
TEST_F(CudnnTacticsTest, CopiesAreWeighedAgainstTheFasterKernel) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  fake_.build = [](const test::FakePlan& plan) {
    const auto& x = plan.tensors.at(static_cast<std::int64_t>(CudnnTensor::kX));
    return x.strides[3] == x.dims[1] ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED_LAYOUT;
  };
  const auto tactic = [&](const Graph& graph) {
    const auto plan = compile_plan(graph, whole_backend(), {.buckets = {1}});
    return std::ranges::find(plan->tactics.decisions, "conv", &TacticDecision::node)->tactic;
  };

  EXPECT_EQ(tactic(of_a_slice({1, 56, 56, 8}, 256)), "cudnn:eng1:k2.7");
  EXPECT_EQ(tactic(of_a_slice({1, 4, 4, 8}, 16)).substr(0, 5), "conv:");
}

TEST_F(CudnnTacticsTest, PreparesAllConvolutionsOfANetworkAtOnce) {
  fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(1)};
  const bool several = std::thread::hardware_concurrency() > 1;
  test::Meeting meeting;
  fake_.build = [&](const test::FakePlan&) {
    if (several) meeting.come();
    return CUDNN_STATUS_SUCCESS;
  };

  (void)compile_plan(of_a_slice({1, 56, 56, 8}, 256), whole_backend(), {.buckets = {1}});

  EXPECT_EQ(fake_.record().built.size(), 2U) << "those that are needed, a slice as it is read";
  EXPECT_EQ(meeting.size() > 1, several);
}

TEST_F(CudnnTacticsTest, GraphsAloneAreNoSteps) {
  const auto graphs = of_cudnn(cuda::make_cudnn_graphs(fake_.library()));
  const Graph graph = test::one_convolution({2, 4, 4, 8}, {1, 1}, 8, {.bias = true}, 1);

  EXPECT_EQ(names(*graphs, graph), Strings{"cudnn:bo:61-engines"});
  test::expect_error(ErrorCode::kDeviceNone, "chosen on a GPU; there is none here", [&] {
    (void)test::run_graph(test::one_convolution({kBatch, 4, 4, 8}, {1, 1}, 8, {}, 1),
                          of_cudnn(cuda::make_cudnn_graphs(fake_.library())),
                          1,
                          {});
  });
}

}  // namespace
}  // namespace fovea
