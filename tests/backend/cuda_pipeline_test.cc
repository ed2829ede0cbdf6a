// Several batches in flight on the emulated device, in orders that a device may choose.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/emulated_device.h"
#include "engine/graph/random_weights.h"
#include "engine/passes/constants.h"
#include "engine/runtime/execution_context.h"
#include "kernels/simt/stream.h"
#include "models/builders/zoo.h"
#include "tests/support/known_batches.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

namespace emulated = cuda::emulated;

/// Bytes to the best of ten classes: an input that is read through a view, an activation in place,
/// a value that leaves and goes on, an output that is the very input, and two outputs in one
/// buffer.
Graph small_network() {
  Graph graph;
  const Value bytes = graph.add(Input{{DType::kUInt8, {kBatch, 4, 3, 1}}}, {}, "bytes");
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2, 6}}}, {}, "x");
  const Value constant = graph.add(Input{{DType::kFloat32, {5}}}, {}, "same_for_all");
  const Value w = graph.add(make_constant({10, 12}, test::random_floats(120, 1)), {}, "w");
  const Value flat = graph.add(Reshape{{kBatch, 12}}, {x}, "flat");
  const Value scores = graph.add(Dense{}, {flat, w}, "scores");
  const Value positive = graph.add(Relu{}, {scores}, "positive");
  const Value shaped = graph.add(Reshape{{kBatch, 2, 5}}, {positive}, "shaped");
  const Value best = graph.add(TopK{3}, {graph.add(Softmax{}, {positive}, "p")}, "best");
  const Value picture =
      graph.add(NormalizeImage{normalization_constants(Normalization::kTf)}, {bytes}, "picture");
  graph.mark_output(flat, "input_again");
  graph.mark_output(positive, "positive");
  graph.mark_output(shaped, "shaped");
  graph.mark_output(best, "values");
  graph.mark_output({best.node, 1}, "indices");
  graph.mark_output(graph.add(GlobalPool{}, {picture}, "mean"), "mean");
  graph.mark_output(graph.add(Relu{}, {constant}, "static"), "static");
  return graph;
}

Graph lenet5() {
  Graph graph = ModelGraphAccess::graph(zoo::find("lenet5").build({28, 28}));
  fill_random_weights(graph, 1, 1.0);
  return graph;
}

std::shared_ptr<const ExecutionPlan> plan_of(const Graph& graph) {
  return compile_plan(graph, make_cuda_emu_backend(), {.buckets = {1, 2, 5}, .threads = 1});
}

/// Around every bucket's size, large ones after small ones and the other way round.
constexpr std::array<std::int64_t, 12> kSizes{1, 5, 2, 3, 1, 4, 5, 1, 2, 2, 4, 3};

class CudaPipeline : public testing::Test {
 protected:
  void TearDown() override {
    simt::set_stream_order(simt::StreamOrder::kOnDemand);
    emulated::set_capacity(0);
  }

  /// Whatever order the streams run in, and however many batches are in flight.
  static void expect_right_in_all_orders(const Graph& graph,
                                         std::initializer_list<std::size_t> slot_counts,
                                         std::uint32_t seeds) {
    simt::set_stream_order(simt::StreamOrder::kOnDemand);
    const auto plan = plan_of(graph);
    const auto batches = test::known_batches(plan, kSizes);
    const std::uint64_t pageable = emulated::pageable_copies();
    for (const std::size_t slots : slot_counts) {
      SCOPED_TRACE(slots);
      simt::set_stream_order(simt::StreamOrder::kOnDemand);
      PipelinedContext context(plan, slots);
      EXPECT_EQ(test::wrong_answers(context, batches), 0U);
      for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        simt::set_stream_order(simt::StreamOrder::kRandom, seed);
        EXPECT_EQ(test::wrong_answers(context, batches), 0U) << "seed " << seed;
      }
    }
    EXPECT_EQ(emulated::pageable_copies(), pageable) << "copies that overlap with nothing";
  }
};

TEST_F(CudaPipeline, GivesWhatAContextGivesOnASmallNetwork) {
  expect_right_in_all_orders(small_network(), {1, 2, 3, 5}, 8);
}

TEST_F(CudaPipeline, GivesWhatAContextGivesOnLeNet5) {
  expect_right_in_all_orders(lenet5(), {1, 3}, 4);
}

TEST_F(CudaPipeline, AllocatesWhatThePlanSaysOfIt) {
  for (const Graph& graph : {small_network(), lenet5()}) {
    const auto plan = plan_of(graph);
    for (const std::size_t slots : {1U, 3U, 4U}) {
      const std::size_t before = emulated::device_bytes();
      const std::size_t pinned_before = emulated::pinned_bytes();
      {
        const PipelinedContext context(plan, slots);
        EXPECT_EQ(emulated::device_bytes() - before, device_bytes(*plan, slots));
        EXPECT_GT(emulated::pinned_bytes(), pinned_before);
      }
      EXPECT_EQ(emulated::device_bytes(), before);
      EXPECT_EQ(emulated::pinned_bytes(), pinned_before);
    }
    const std::size_t before = emulated::device_bytes();
    const ExecutionContext context(plan);
    EXPECT_EQ(emulated::device_bytes() - before, device_bytes(*plan, 0));
    EXPECT_EQ(context.arena_bytes(), device_bytes(*plan, 0));
  }
}

/// One slot's staging area is apart from another one's, and from the arena.
TEST_F(CudaPipeline, StagingAreasAreApart) {
  const auto plan = plan_of(small_network());
  const DeviceLayout layout = device_layout(plan->buckets, 2);
  std::vector<std::byte> memory(layout.bytes);
  for (const BucketPlan& bucket : plan->buckets) {
    std::set<const std::byte*> first;
    const DeviceAddresses one(bucket, memory.data(), memory.data() + layout.staging);
    const DeviceAddresses two(
        bucket, memory.data(), memory.data() + layout.staging + layout.staging_bytes);
    for (const auto* slots : {&bucket.inputs, &bucket.outputs}) {
      for (const SlotId slot : *slots) {
        const std::size_t bytes = byte_size(bucket.slots[slot].desc);
        EXPECT_GE(one(slot), memory.data() + layout.staging);
        EXPECT_LE(one(slot) + bytes, memory.data() + layout.staging + layout.staging_bytes);
        EXPECT_GE(two(slot), memory.data() + layout.staging + layout.staging_bytes);
        EXPECT_LE(two(slot) + bytes, memory.data() + layout.bytes);
      }
    }
    EXPECT_EQ(one(kNoSlot), nullptr);
  }
}

std::string error_of(const std::function<void()>& call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST_F(CudaPipeline, SaysWhatIsMissingAndWhichBatchWouldFit) {
  const auto plan = plan_of(lenet5());
  const std::size_t taken = emulated::device_bytes();
  const auto needs = [&](std::size_t buckets) {
    return device_layout(std::span(plan->buckets).first(buckets), 3).bytes;
  };
  const auto open = [&] { const PipelinedContext context(plan, 3); };
  ASSERT_LT(needs(1), needs(2));
  ASSERT_LT(needs(2), needs(3));

  emulated::set_capacity(taken + needs(3));
  open();
  emulated::set_capacity(taken + needs(3) - 1);
  EXPECT_EQ(error_of(open, ErrorCode::kDeviceOutOfMemory),
            cat("a largest batch of 5 needs ",
                needs(3),
                " bytes of device memory, and ",
                needs(3) - 1,
                " bytes are free; a largest batch of 2 would fit"));
  emulated::set_capacity(taken + needs(2) - 1);
  EXPECT_NE(error_of(open, ErrorCode::kDeviceOutOfMemory).find("batch of 1 would fit"),
            std::string::npos);
  emulated::set_capacity(taken + needs(1) - 1);
  EXPECT_NE(error_of(open, ErrorCode::kDeviceOutOfMemory).find("not even for"), std::string::npos);
  EXPECT_EQ(emulated::device_bytes(), taken);
}

TEST_F(CudaPipeline, RefusesWhatItHasNoPlaceFor) {
  const auto plan = plan_of(small_network());
  const auto known = test::known_batches(plan, std::array<std::int64_t, 1>{2});
  PipelinedContext context(plan, 2);
  const auto submit = [&](std::int64_t n) {
    return context.submit([&](auto to) {
      (void)known[0].fill(to);
      return n;
    });
  };

  for (const std::int64_t n : {-1, 6, 1'000'000}) {
    EXPECT_THROW((void)submit(n), InvalidArgument) << n;
  }
  {
    auto one = submit(2);
    auto two = submit(2);
    EXPECT_THROW((void)submit(2), InvalidArgument) << "a third batch for two slots";
    EXPECT_TRUE(known[0].equals(one.collect()));
    EXPECT_THROW((void)one.collect(), InvalidArgument) << "twice";
  }
  auto none = submit(0);
  EXPECT_EQ(none.size(), 0);
  EXPECT_THROW((void)none.collect(), InvalidArgument);
  EXPECT_THROW(PipelinedContext(plan, 0), InvalidArgument);
}

TEST_F(CudaPipeline, WhatFillThrowsHarmsNothing) {
  const auto plan = plan_of(small_network());
  const auto known = test::known_batches(plan, kSizes);
  PipelinedContext context(plan, 3);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW((void)context.submit([](auto) -> std::int64_t { throw std::runtime_error("no"); }),
                 std::runtime_error);
  }

  EXPECT_EQ(test::wrong_answers(context, known), 0U);
}

TEST_F(CudaPipeline, BatchesThatNobodyCollectsAreAwaitedAndForgotten) {
  const auto plan = plan_of(small_network());
  const auto known = test::known_batches(plan, kSizes);
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    simt::set_stream_order(simt::StreamOrder::kRandom, seed);
    PipelinedContext context(plan, 3);
    for (const auto& batch : known) {
      (void)context.submit([&](auto to) { return batch.fill(to); });
    }
    EXPECT_EQ(test::wrong_answers(context, known), 0U);
    (void)context.submit([&](auto to) { return known[0].fill(to); });
  }
}

TEST_F(CudaPipeline, MeasuresItsStages) {
  const auto plan = plan_of(lenet5());
  const auto known = test::known_batches(plan, std::array<std::int64_t, 1>{4});
  PipelinedContext context(plan, 3);
  StageTimes times;

  auto batch = context.submit([&](auto to) { return known[0].fill(to); });
  EXPECT_TRUE(known[0].equals(batch.collect(&times)));

  EXPECT_EQ(times.pictures, 4);
  EXPECT_GT(times.compute_s, times.upload_s + times.download_s);
  EXPECT_GT(times.upload_s, 0);
  EXPECT_GT(times.download_s, 0);
}

TEST_F(CudaPipeline, OutputsStayAsLongAsTheirBatch) {
  const auto plan = plan_of(small_network());
  const auto known = test::known_batches(plan, kSizes);
  PipelinedContext context(plan, 2);
  auto first = context.submit([&](auto to) { return known[1].fill(to); });
  const auto outputs = first.collect();

  for (const auto& batch : known) {
    EXPECT_TRUE(batch.equals(context.submit([&](auto to) { return batch.fill(to); }).collect()));
  }

  EXPECT_TRUE(known[1].equals(outputs));
}

/// The work of one batch that has been enqueued is still to come while the next one is enqueued.
TEST_F(CudaPipeline, SubmittingDoesNotWait) {
  const auto plan = plan_of(small_network());
  const auto known = test::known_batches(plan, kSizes);
  PipelinedContext context(plan, 3);
  std::vector<PipelinedContext::Batch> batches;

  for (std::size_t i = 0; i < 3; ++i) {
    batches.push_back(context.submit([&](auto to) { return known[i].fill(to); }));
  }

  // In the order kOnDemand nothing has run, so the last one can still be waited for first.
  for (std::size_t i = 3; i-- > 0;) EXPECT_TRUE(known[i].equals(batches[i].collect()));
}

}  // namespace
}  // namespace fovea
