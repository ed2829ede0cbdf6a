// The compiler and a context together, on graphs small enough to read.
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "engine/runtime/execution_context.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using test::Floats;
using test::NamedFloats;

Value constant(Graph& graph, const Shape& shape, std::uint64_t seed, const std::string& name) {
  return graph.add(make_constant(shape, test::random_floats(num_elements(shape), seed)), {}, name);
}

/// x -> conv -> relu -> conv2 with x as its residual -> flatten -> dense.
Graph residual_network() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 4}}}, {}, "x");
  const Value w1 = constant(graph, {4, 3, 3, 4}, 1, "w1");
  const Value w2 = constant(graph, {4, 1, 1, 4}, 2, "w2");
  const Value w3 = constant(graph, {3, 120}, 3, "w3");
  Value y = graph.add(Conv2d{.pads = {1, 1, 1, 1}}, {x, w1}, "conv1");
  y = graph.add(Relu{}, {y}, "relu1");
  y = graph.add(Conv2d{}, {y, w2}, "conv2");
  y = graph.add(Add{}, {y, x}, "sum");
  y = graph.add(Relu{}, {y}, "relu2");
  y = graph.add(Reshape{{kBatch, 120}}, {y}, "flat");
  y = graph.add(Dense{}, {y, w3}, "dense");
  graph.mark_output(y);
  return graph;
}

void expect_near(const Floats& got, const Floats& want, float tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance) << "element " << i;
  }
}

TEST(CompilePlan, CpuEqualsReference) {
  const Graph graph = residual_network();
  const NamedFloats inputs = test::random_inputs(graph, 3, 7);

  const NamedFloats want = test::run_graph(graph, make_reference_backend(), 3, inputs);
  const NamedFloats got = test::run_graph(graph, make_cpu_backend(), 3, inputs);

  // Sums of 120 products of values up to about 100 each, in float32.
  expect_near(got.at("dense"), want.at("dense"), 2e-3F);
}

TEST(CompilePlan, EveryBatchUpToTheLargestBucketGivesTheRowsOfTheFirst) {
  const Graph graph = residual_network();
  const auto plan = compile_plan(graph, make_cpu_backend(), {.buckets = {1, 4, 8}, .threads = 1});
  const NamedFloats all = test::random_inputs(graph, 8, 7);
  const std::size_t row = all.at("x").size() / 8;
  const Floats whole = test::run_plan(plan, 8, all).at("dense");

  for (std::int64_t n = 1; n <= 8; ++n) {
    const auto count = static_cast<std::size_t>(n);
    const Floats& x = all.at("x");
    const Floats part(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count * row));

    const Floats got = test::run_plan(plan, n, {{"x", part}}).at("dense");

    ASSERT_EQ(got.size(), count * 3);
    expect_near(
        got, Floats(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count * 3)), 1e-4F);
  }
  EXPECT_THROW((void)plan->bucket_for(9), InvalidArgument);
  EXPECT_THROW((void)plan->bucket_for(0), InvalidArgument);
}

TEST(CompilePlan, BucketsShareOneCopyOfTheWeights) {
  const Graph graph = residual_network();

  const auto one = compile_plan(graph, make_reference_backend(), {.buckets = {4}, .threads = 1});
  const auto cpu_one = compile_plan(graph, make_cpu_backend(), {.buckets = {4}, .threads = 1});
  const auto cpu_two = compile_plan(graph, make_cpu_backend(), {.buckets = {4, 8}, .threads = 1});

  EXPECT_EQ(one->weight_bytes, 0U);
  EXPECT_GT(cpu_one->weight_bytes, 0U);
  EXPECT_EQ(cpu_two->weight_bytes, cpu_one->weight_bytes);
}

TEST(CompilePlan, BucketsOfTheReferenceReadAWeightOnce) {
  int read = 0;
  const auto data = Buffer::computed(4 * 2 * sizeof(float), "zeros", [&](std::span<std::byte> out) {
    std::ranges::fill(out, std::byte{0});
    ++read;
  });
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
  const Value w = graph.add(Constant{{DType::kFloat32, {4, 2}}, data}, {}, "w");
  graph.mark_output(graph.add(Dense{}, {x, w}, "dense"));

  const auto plan = compile_plan(graph, make_reference_backend(), {.buckets = {1, 4, 8}});

  EXPECT_EQ(plan->buckets.size(), 3U);
  EXPECT_EQ(read, 1);
}

TEST(CompilePlan, AResidualThatIsAlsoTheInputIsNotOverwritten) {
  // conv(x) + x with one x: an output in x's place would destroy what the convolution still reads.
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 64, 64, 16}}}, {}, "x");
  const Value w0 = constant(graph, {16, 3, 3, 16}, 4, "w0");
  const Value w = constant(graph, {16, 3, 3, 16}, 5, "w");
  const Value a = graph.add(Conv2d{.pads = {1, 1, 1, 1}}, {x, w0}, "a");
  const Value b = graph.add(Conv2d{.pads = {1, 1, 1, 1}}, {a, w}, "b");
  const Value sum = graph.add(Add{}, {b, a}, "sum");
  // Behind it something that leaves the plan: what does so takes nobody's place anyway.
  graph.mark_output(graph.add(MaxPool{.kernel = {1, 1}}, {sum}, "out"));
  const NamedFloats inputs = test::random_inputs(graph, 1, 9);

  const Floats want = test::run_graph(graph, make_reference_backend(), 1, inputs).at("out");
  const Floats got = test::run_graph(graph, make_cpu_backend(), 1, inputs).at("out");

  expect_near(got, want, 0.05F);  // values up to a few thousand, so 1e-5 relative
}

/// A block as ResNet's, whose shortcut and first convolution are joined, with another block behind
/// it. What is read once more is added behind both.
Graph joined_block(std::string_view read_again) {
  constexpr Activation kRelu{.kind = ActivationKind::kRelu};
  Graph graph;
  std::map<std::string, Value, std::less<>> values;
  std::uint64_t seed = 0;
  const auto conv = [&](const std::string& name, Value x, std::int64_t filters, Activation act) {
    const Value w = constant(graph, {filters, 1, 1, graph.desc(x).shape[3]}, ++seed, name + "/w");
    return values[name] = graph.add(Conv2d{.activation = act}, {x, w}, name);
  };
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 6, 5, 16}}}, {}, "x");
  const Value first = conv("first", x, 32, kRelu);
  const Value shortcut = conv("shortcut", x, 32, {});
  Value y = conv("last", conv("middle", first, 16, kRelu), 32, {});
  y = graph.add(Add{}, {y, shortcut}, "sum");
  y = values["sum"] = graph.add(Relu{}, {y}, "block");
  y = graph.add(Add{}, {conv("next", conv("next/first", y, 16, kRelu), 32, {}), y}, "next/sum");
  if (!read_again.empty()) y = graph.add(Add{}, {y, values.find(read_again)->second}, "again");
  graph.mark_output(graph.add(MaxPool{.kernel = {1, 1}}, {y}, "out"));
  return graph;
}

/// Whether the step that computes the node writes where its last input lies.
bool overwrites(const ExecutionPlan& plan, const std::string& node) {
  const BucketPlan& bucket = plan.buckets.front();
  const auto step = std::ranges::find(bucket.steps, node, &PlannedStep::name);
  if (step == bucket.steps.end()) throw InvalidArgument(node + ": " + to_string(plan));
  const Slot& from = bucket.slots[step->inputs.back()];
  const Slot& to = bucket.slots[step->outputs.front()];
  return from.offset == to.offset && from.layout == to.layout;
}

TEST(CompilePlan, ASumTakesOverASliceThatNobodyNeeds) {
  const std::shared_ptr<const Backend> backend = make_cpu_backend();
  if (!backend->traits().reads_slices) GTEST_SKIP() << "this processor has no AVX-512";

  struct Case {
    std::string_view read_again;
    bool block;  ///< whether the first sum overwrites the shortcut
    bool next;   ///< whether the second one overwrites the first
  };

  for (const Case& c : {Case{"", true, true},
                        Case{"first", false, true},
                        Case{"shortcut", false, true},
                        Case{"sum", true, false}}) {
    SCOPED_TRACE(c.read_again);
    const Graph graph = joined_block(c.read_again);
    const auto plan = compile_plan(graph, make_cpu_backend(), {.buckets = {2}});

    EXPECT_EQ(overwrites(*plan, "block"), c.block) << to_string(*plan);
    EXPECT_EQ(overwrites(*plan, "next/sum"), c.next) << to_string(*plan);

    const NamedFloats inputs = test::random_inputs(graph, 2, 9);
    const Floats want = test::run_graph(graph, make_reference_backend(), 2, inputs).at("out");
    expect_near(test::run_plan(plan, 2, inputs).at("out"), want, 0.05F);
  }
}

TEST(CompilePlan, ATapIsTheValueBeforeFusion) {
  Graph graph = residual_network();
  graph.mark_output({graph.find("conv1"), 0});
  const NamedFloats inputs = test::random_inputs(graph, 1, 7);

  const NamedFloats want = test::run_graph(graph, make_reference_backend(), 1, inputs);
  const NamedFloats got = test::run_graph(graph, make_cpu_backend(), 1, inputs);

  expect_near(got.at("conv1"), want.at("conv1"), 1e-3F);
  expect_near(got.at("dense"), want.at("dense"), 2e-3F);
}

TEST(CompilePlan, NamesTheParameterThatHasNoWeights) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  const Value w = graph.add(Constant{{DType::kFloat32, {2, 4}}, nullptr}, {}, "fc/kernel");
  graph.mark_output(graph.add(Dense{}, {x, w}, "fc"));

  try {
    (void)compile_plan(graph, make_reference_backend(), {});
    FAIL() << "a plan without weights was compiled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kWeightsMissing);
    EXPECT_NE(std::string(error.what()).find("fc/kernel"), std::string::npos) << error.what();
  }
}

TEST(CompilePlan, RefusesWrongSizesAtTheDoor) {
  const auto plan =
      compile_plan(residual_network(), make_reference_backend(), {.buckets = {2}, .threads = 1});
  ExecutionContext context(plan);
  std::vector<std::byte> small(8);
  std::vector<std::byte> out(12);
  const std::span<const std::byte> input(small);
  const std::span<std::byte> output(out);

  EXPECT_THROW(context.run(1, {&input, 1}, {&output, 1}), InvalidArgument);
  EXPECT_THROW(context.run(3, {&input, 1}, {&output, 1}), InvalidArgument);
  EXPECT_THROW(context.run(1, {}, {&output, 1}), InvalidArgument);
}

}  // namespace
}  // namespace fovea
