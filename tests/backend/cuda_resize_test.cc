// Pictures of many sizes on the emulated device: the resizing step in plans, and the table that the
// host encodes for it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/emulated_device.h"
#include "engine/backend/cuda/picture_table.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/graph/random_inputs.h"
#include "engine/plan/plan_cost.h"
#include "engine/runtime/compare_steps.h"
#include "engine/runtime/execution_context.h"
#include "engine/runtime/pipelined_context.h"
#include "tests/support/ragged_batch.h"

namespace fovea {
namespace {

namespace emulated = cuda::emulated;
using test::RaggedBatch;

constexpr std::int64_t kBudget = 40'000;

/// Pictures to the elements that a network reads; taken apart where the passes leave it so.
Graph head(const PreprocessSpec& spec, std::int64_t channels = 0, DType to = DType::kFloat32) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, kBudget}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  Value x = graph.add(ResizeImage{spec}, {pixels, table}, "resized");
  const bool colour = spec.color == ColorMode::kRgb;
  const auto mode = colour ? Normalization::kCaffe : Normalization::kTf;
  x = graph.add(NormalizeImage{normalization_constants(mode), channels}, {x}, "normalized");
  if (to != DType::kFloat32) x = graph.add(Cast{to}, {x}, "cast");
  graph.mark_output(x, "y");
  return graph;
}

std::shared_ptr<const ExecutionPlan> on_device(const Graph& graph,
                                               std::vector<std::string> without = {}) {
  PlanOptions options{.buckets = {1, 2, 8}, .threads = 1};
  options.disabled_passes = std::move(without);
  return compile_plan(graph, make_cuda_emu_backend(), options);
}

/// The same operators by their definitions.
std::shared_ptr<const ExecutionPlan> by_definition(const Graph& graph) {
  PlanOptions options{.buckets = {8}, .threads = 1};
  options.disabled_passes = {"resize-on-host"};
  return compile_plan(graph, make_reference_backend(), options);
}

std::vector<std::byte> run(const std::shared_ptr<const ExecutionPlan>& plan,
                           const RaggedBatch& batch) {
  const auto n = static_cast<std::int64_t>(batch.size());
  std::vector<std::uint8_t> pixels = batch.pixels;
  pixels.resize(static_cast<std::size_t>(n * kBudget));
  const std::array inputs{std::as_bytes(std::span(pixels)), std::as_bytes(std::span(batch.table))};
  std::vector<std::byte> y(byte_size(with_batch(plan->outputs.at(0).desc, n)));
  const std::array outputs{std::span(y)};
  ExecutionContext(plan).run(n, inputs, outputs);
  return y;
}

/// Sizes around those of the result, and far from them.
RaggedBatch mixed(ColorMode color, std::size_t count) {
  const test::Sizes sizes{
      {1, 1}, {31, 40}, {12, 9}, {200, 3}, {97, 64}, {5, 130}, {12, 40}, {60, 9}};
  return test::batch_of({sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(count)}, color);
}

class CudaResize : public testing::Test {};

/// All filters and fits, both colours, in every bucket and between them.
TEST_F(CudaResize, GivesEveryBitOfTheDefinition) {
  for (const Interpolation interpolation : {Interpolation::kNearest,
                                            Interpolation::kBilinear,
                                            Interpolation::kBicubic,
                                            Interpolation::kHamming,
                                            Interpolation::kBox,
                                            Interpolation::kLanczos}) {
    for (const Fit fit : {Fit::kStretch, Fit::kKeepAspectRatio, Fit::kCentreCrop}) {
      const ColorMode color =
          fit == Fit::kKeepAspectRatio ? ColorMode::kGrayscale : ColorMode::kRgb;
      const PreprocessSpec spec{.height = 9,
                                .width = 12,
                                .interpolation = interpolation,
                                .fit = fit,
                                .shorter_side = fit == Fit::kCentreCrop ? 14 : 0,
                                .color = color};
      SCOPED_TRACE(to_string(interpolation));
      SCOPED_TRACE(to_string(fit));
      const Graph graph = head(spec);
      const auto plan = on_device(graph);
      ASSERT_EQ(plan->buckets[0].steps.size(), 1U);
      ASSERT_EQ(plan->buckets[0].steps[0].tactic, "resize-normalize");
      const auto definition = by_definition(graph);
      for (const std::size_t count : {1U, 2U, 3U, 8U}) {
        const RaggedBatch batch = mixed(color, count);
        EXPECT_EQ(run(plan, batch), run(definition, batch)) << count;
      }
    }
  }
}

/// What a crop would otherwise cut the border of.
TEST_F(CudaResize, TakesWhatIsResizedAsItIs) {
  const PreprocessSpec spec{.height = 9,
                            .width = 12,
                            .interpolation = Interpolation::kBilinear,
                            .fit = Fit::kCentreCrop,
                            .shorter_side = 14};
  const Graph graph = head(spec);
  RaggedBatch as_it_is = mixed(spec.color, 3);
  const Image large = test::formula_picture(31, 40, PixelFormat::kRgb8);
  const Image small = resize(large.view(), spec);
  RaggedBatch resized = as_it_is;
  resized.table[3] = resized.table[4] = 0;
  resized.table[5] = static_cast<std::int64_t>(resized.pixels.size());
  resized.pixels.insert(resized.pixels.end(), small.data(), small.data() + small.bytes());

  EXPECT_EQ(run(on_device(graph), resized), run(by_definition(graph), as_it_is));
}

TEST_F(CudaResize, WritesTheTypeAndTheChannelsThatTheNetworkReads) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  for (const DType to : {DType::kFloat16, DType::kBFloat16, DType::kFloat32}) {
    const Graph graph = head(spec, 8, to);
    const auto plan = on_device(graph);
    EXPECT_EQ(plan->buckets[0].steps.size(), 1U) << to_string(*plan);
    EXPECT_EQ(run(plan, mixed(spec.color, 5)), run(by_definition(graph), mixed(spec.color, 5)));
  }
}

TEST_F(CudaResize, WorksAsTwoStepsToo) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kHamming};
  const Graph graph = head(spec);
  const auto plan = on_device(graph, {"fuse-resize-normalize"});
  ASSERT_EQ(plan->buckets[0].steps.size(), 2U);
  EXPECT_EQ(plan->buckets[0].steps[0].tactic, "resize");

  EXPECT_EQ(run(plan, mixed(spec.color, 5)), run(by_definition(graph), mixed(spec.color, 5)));
}

TEST_F(CudaResize, StepsAreComparedWithTheDefinition) {
  const auto plan =
      on_device(head({.height = 9, .width = 12, .interpolation = Interpolation::kBox}));
  const BucketPlan& bucket = plan->buckets[1];
  int steps = 0;

  (void)compare_steps(plan,
                      bucket,
                      random_inputs(with_batch(plan->graph, bucket.batch), 1),
                      [&](const PlannedStep& /*step*/, const TensorDifference& difference) {
                        EXPECT_EQ(difference.max_abs, 0);
                        ++steps;
                      });

  EXPECT_EQ(steps, 1);
}

TEST_F(CudaResize, RefusesPicturesThatTheTableCannotHold) {
  const Graph graph = head({.height = 9, .width = 12, .interpolation = Interpolation::kBilinear});
  const auto plan = on_device(graph);
  ExecutionContext context(plan);
  std::vector<std::byte> pixels(static_cast<std::size_t>(kBudget));
  std::vector<std::byte> y(byte_size(with_batch(plan->outputs[0].desc, 1)));
  const std::array outputs{std::span(y)};
  const auto message_for = [&](const std::array<std::int64_t, 3>& row) -> std::string {
    const std::array<std::span<const std::byte>, 2> inputs{pixels, std::as_bytes(std::span(row))};
    try {
      context.run(1, inputs, outputs);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "taken";
  };

  EXPECT_EQ(message_for({cuda::kLargestPicture, 10, 0}), "taken");
  EXPECT_EQ(message_for({1'025, 10, 0}),
            "picture 0 of the batch is 1025 x 10; the device resizes pictures of up to 1024 pixels "
            "a side, so resize it before and say 0 x 0 in the table");
  EXPECT_NE(message_for({3, 1'025, 0}), "taken");
  EXPECT_NE(message_for({120, 120, 0}), "taken") << "more than there are pixels";
  EXPECT_EQ(message_for({12, 9, 0}), "taken") << "the context is as it was";
}

/// The kernels read the host's table: there must be one.
TEST_F(CudaResize, HasNoTacticForATableThatIsReadTwiceOrComputed) {
  const PreprocessSpec spec{.height = 9, .width = 12};
  Graph twice = head(spec);
  twice.mark_output({twice.find("table"), 0}, "table_again");
  EXPECT_THROW((void)on_device(twice), Unsupported);

  Graph computed;
  const Value pixels = computed.add(Input{{DType::kUInt8, {kBatch, kBudget}}}, {}, "pixels");
  const Value flat = computed.add(Input{{DType::kInt64, {kBatch, 1, 3}}}, {}, "flat");
  const Value table = computed.add(Reshape{{kBatch, 3}}, {flat}, "table");
  computed.mark_output(computed.add(ResizeImage{spec}, {pixels, table}, "resized"));
  EXPECT_THROW((void)on_device(computed), Unsupported);
}

/// Slots keep their tables and their pixels apart, and only what is used is copied.
TEST_F(CudaResize, BatchesInFlightKeepTheirPictures) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  const Graph graph = head(spec);
  const auto plan = on_device(graph);
  const auto definition = by_definition(graph);
  PipelinedContext context(plan, 3);
  std::vector<RaggedBatch> batches;
  for (const std::size_t count : {8U, 1U, 3U, 2U, 7U, 1U}) {
    RaggedBatch batch = mixed(spec.color, 8);
    const auto first = static_cast<std::ptrdiff_t>(3 * (8 - count));
    batch.table.erase(batch.table.begin(), batch.table.begin() + first);
    batches.push_back(std::move(batch));
  }

  std::deque<PipelinedContext::Batch> in_flight;
  std::vector<std::vector<std::byte>> got;
  const auto collect = [&] {
    const auto y = in_flight.front().collect()[0];
    got.emplace_back(y.begin(), y.end());
    in_flight.pop_front();
  };
  for (const RaggedBatch& batch : batches) {
    if (in_flight.size() == context.slots()) collect();
    in_flight.push_back(context.submit([&](std::span<std::span<std::byte>> inputs) {
      // What lies behind the used bytes must reach nobody.
      std::ranges::fill(inputs[0], std::byte{0xAB});
      std::ranges::copy(std::as_bytes(std::span(batch.pixels)), inputs[0].begin());
      std::ranges::copy(std::as_bytes(std::span(batch.table)), inputs[1].begin());
      inputs[0] = inputs[0].first(batch.pixels.size());
      return static_cast<std::int64_t>(batch.size());
    }));
  }
  while (!in_flight.empty()) collect();

  for (std::size_t i = 0; i < batches.size(); ++i) {
    EXPECT_EQ(got[i], run(definition, batches[i])) << "batch " << i;
  }
}

/// The memory for tables is among what may not be had.
TEST_F(CudaResize, EveryCallThatFailsIsTold) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  const Graph graph = head(spec);
  const auto plan = on_device(graph);
  const RaggedBatch batch = mixed(spec.color, 3);
  const std::vector<std::byte> want = run(by_definition(graph), batch);
  std::uint64_t call = 0;
  for (bool failed = true; failed; ++call) {
    emulated::fail_call(call, emulated::Failure::kOfTheCall);
    std::vector<std::byte> got;
    try {
      PipelinedContext context(plan, 2);
      auto in_flight = context.submit([&](std::span<std::span<std::byte>> inputs) {
        std::ranges::copy(std::as_bytes(std::span(batch.pixels)), inputs[0].begin());
        std::ranges::copy(std::as_bytes(std::span(batch.table)), inputs[1].begin());
        return static_cast<std::int64_t>(batch.size());
      });
      const auto y = in_flight.collect()[0];
      got.assign(y.begin(), y.end());
    } catch (const DeviceError&) {
      EXPECT_TRUE(got.empty());
    }
    failed = !emulated::fail_no_call();
    // Once nothing fails any more, there is an answer.
    if (!got.empty() || !failed) {
      EXPECT_EQ(got, want) << call;
    }
  }
  EXPECT_GT(call, 30U);
}

TEST_F(CudaResize, PlansKnowWhatTheyNeedBeforeTheyAreLoaded) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBilinear};
  const auto plan = on_device(head(spec));
  const BucketPlan& largest = plan->buckets.back();
  const cuda::PictureTableBytes most =
      cuda::most_picture_table_bytes(spec, {8, cuda::kLargestPicture, cuda::kLargestPicture});
  EXPECT_EQ(largest.workspace_bytes, most.workspace);
  EXPECT_EQ(largest.slots[largest.inputs[1]].layout.bytes, most.table);
  ASSERT_TRUE(largest.encoders[1]);
  EXPECT_FALSE(largest.encoders[0]);

  const std::size_t before = emulated::device_bytes();
  const std::size_t pinned_before = emulated::pinned_bytes();
  {
    const ExecutionContext context(plan);
    EXPECT_EQ(emulated::device_bytes() - before, device_bytes(*plan, 0));
    EXPECT_GE(emulated::pinned_bytes() - pinned_before, most.table);
  }
  EXPECT_EQ(emulated::pinned_bytes(), pinned_before);

  const std::vector<Cost> costs = step_costs(*plan, largest);
  const std::size_t usual = std::size_t{8} * 115 * 115 * 3;  // squares in 40,000 bytes each
  EXPECT_EQ(costs[0].read_bytes, usual + std::size_t{8} * 24);
  EXPECT_EQ(costs[0].written_bytes, std::size_t{8} * 9 * 12 * 3 * 4);
}

}  // namespace
}  // namespace fovea
