// Channels that are padded for engines which need it, on the emulated CUDA backend.
#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/graph/random_weights.h"
#include "engine/passes/constants.h"
#include "models/builders/zoo.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

/// The graph after all passes for a target like the emulated one that wants multiples of 8.
Graph padded(Graph graph) {
  PassContext context{make_cuda_emu_backend()->traits(), {}};
  context.traits.pixel_alignment_bytes = 32;
  run_passes(graph, default_passes(), context);
  return graph;
}

/// Expects two pictures to give the same on the emulated backend as the graph says.
void expect_same(const Graph& before, const Graph& after, float tolerance) {
  const test::NamedFloats inputs = test::random_inputs(before, 2, 3);
  const test::NamedFloats want = test::run_graph(before, make_reference_backend(), 2, inputs);
  const test::NamedFloats got = test::run_graph(after, make_cuda_emu_backend(), 2, inputs);
  for (const auto& [name, values] : want) {
    ASSERT_EQ(got.at(name).size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(got.at(name)[i], values[i], tolerance) << name << " at element " << i;
    }
  }
}

/// Channels of every convolution's input, in order.
std::vector<std::int64_t> depths(const Graph& graph) {
  std::vector<std::int64_t> result;
  for (const Node& node : graph.nodes()) {
    if (node.as<Conv2d>() != nullptr) result.push_back(graph.desc(node.inputs[0]).shape[3]);
  }
  return result;
}

TEST(CudaPadding, LeNet5) {
  Graph graph = ModelGraphAccess::graph(zoo::find("lenet5").build({28, 28}));
  fill_random_weights(graph, 1, 1.0);

  const Graph after = padded(graph);

  EXPECT_EQ(depths(graph), (std::vector<std::int64_t>{1, 6}));
  EXPECT_EQ(depths(after), (std::vector<std::int64_t>{1, 8}));
  // Probabilities from sums of at most 400 products of values up to 1.
  expect_same(graph, after, 1e-5F);
}

/// From bytes to a mean per channel, with a sum, siblings and a slice on the way.
TEST(CudaPadding, FromPixelsToTheEnd) {
  Graph graph;
  std::uint64_t seed = 0;
  const auto conv = [&](Value from, std::int64_t channels, std::int64_t side, const char* name) {
    const Shape shape{channels, side, side, graph.desc(from).shape[3]};
    const test::Floats values = test::random_floats(num_elements(shape), ++seed);
    const Value w = graph.add(make_constant(shape, values), {}, cat(name, "/w"));
    const std::int64_t pad = side / 2;
    return graph.add(Conv2d{.pads = {pad, pad, pad, pad}, .activation = {ActivationKind::kTanh}},
                     {from, w},
                     name);
  };
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, 7, 6, 3}}}, {}, "pixels");
  const Value x = graph.add(
      NormalizeImage{normalization_constants(Normalization::kTf), 0}, {pixels}, "normalize");
  const Value a = conv(x, 13, 3, "a");
  const Value b = conv(a, 13, 3, "b");
  const Value sum = graph.add(Add{{ActivationKind::kRelu}}, {a, b}, "sum");
  const Value left = conv(conv(sum, 5, 1, "left"), 3, 3, "left_end");
  const Value right = conv(conv(sum, 9, 1, "right"), 4, 3, "right_end");
  const std::vector<Value> ends{graph.add(GlobalPool{}, {left}, "left_pool"),
                                graph.add(GlobalPool{}, {right}, "right_pool"),
                                graph.add(GlobalPool{}, {sum}, "sum_pool")};
  graph.mark_output(graph.add(Concat{1}, ends, "y"), "y");

  const Graph after = padded(graph);

  EXPECT_EQ(depths(after), (std::vector<std::int64_t>{8, 16, 16, 8, 16}));
  EXPECT_GE(after.find("left/siblings"), 0);
  EXPECT_GE(after.find("sum/without_pad"), 0);
  // Sums of at most 144 products of values up to 2, through four layers of slope 1 at most.
  expect_same(graph, after, 1e-3F);
}

}  // namespace
}  // namespace fovea
