#include "tests/support/zoo_device.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <utility>

#include <gtest/gtest.h>

#include "engine/api/classify_graph.h"
#include "engine/api/model_graph.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/graph/random_weights.h"
#include "engine/passes/pass.h"
#include "engine/runtime/pipelined_context.h"
#include "models/builders/zoo.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

namespace {

constexpr std::int64_t kBest = 5;

/// One more than is looked at: whether the last one is far from the next.
constexpr std::int64_t kRanked = kBest + 1;

/// Behind a NormalizeImage, and before a TopK.
Graph ranked(const ZooNetwork& network) {
  Graph graph = ModelGraphAccess::graph(
      zoo::find(network.name).build({.height = network.side, .width = network.side}));
  fill_random_weights(graph, 1, network.head);
  const ClassifierShape shape = classifier_shape(graph, InputLayout::kNhwc);
  PreprocessSpec contract;
  contract.color = shape.channels == 3 ? ColorMode::kRgb : ColorMode::kGrayscale;
  contract.mode = shape.channels == 3 ? Normalization::kTorch : Normalization::kTf;
  Graph whole = classify_graph(
      graph, shape, classifier_spec(contract, shape), std::min(kRanked, shape.classes), false);
  PassContext context;
  run_passes(whole, {&find_pass("resize-on-host"), 1}, context);
  return whole;
}

/// Of one picture; counts the classes that had to be equal.
void expect_near(const NamedFloats& got_all,
                 const NamedFloats& want_all,
                 std::size_t row,
                 std::size_t& clear) {
  const Floats& got = got_all.at("values");
  const Floats& want = want_all.at("values");
  const float bound = 1e-4F * want[row * kRanked];
  const std::size_t first = row * static_cast<std::size_t>(kRanked);
  for (std::size_t i = first; i < first + static_cast<std::size_t>(kBest); ++i) {
    EXPECT_NEAR(got[i], want[i], bound) << "place " << i - first;
    const bool apart =
        want[i] - want[i + 1] > 2 * bound && (i == first || want[i - 1] - want[i] > 2 * bound);
    if (!apart) continue;
    ++clear;
    EXPECT_EQ(got_all.at("indices")[i], want_all.at("indices")[i]) << "place " << i - first;
  }
}

}  // namespace

void expect_classifies_as_the_reference(const ZooNetwork& network,
                                        const std::vector<std::int64_t>& buckets,
                                        const std::vector<std::int64_t>& batches) {
  const Graph graph = ranked(network);
  const std::int64_t most = std::ranges::max(batches);
  const NamedFloats inputs = random_inputs(graph, most, 1);
  const NamedFloats want = run_graph(graph, make_reference_backend(), most, inputs);

  const auto plan =
      compile_plan(graph, make_cuda_emu_backend(), {.buckets = buckets, .threads = 1});
  const TensorInfo& input = plan->inputs.at(0);
  const std::vector<std::byte> pictures =
      to_bytes(with_batch(input.desc, most), inputs.at(input.name));
  const std::size_t picture_bytes = byte_size(with_batch(input.desc, 1));
  PipelinedContext context(plan);
  std::size_t clear = 0;
  std::size_t places = 0;
  std::deque<PipelinedContext::Batch> in_flight;
  const auto collect_oldest = [&] {
    SCOPED_TRACE(testing::Message() << "batch of " << in_flight.front().size());
    const auto n = in_flight.front().size();
    const NamedFloats got = named_outputs(*plan, n, in_flight.front().collect());
    for (std::size_t row = 0; std::cmp_less(row, n); ++row) {
      SCOPED_TRACE(testing::Message() << "picture " << row);
      expect_near(got, want, row, clear);
      places += kBest;
    }
    in_flight.pop_front();
  };
  for (const std::int64_t n : batches) {
    if (in_flight.size() == context.slots()) collect_oldest();
    in_flight.push_back(context.submit([&](std::span<const std::span<std::byte>> slot) {
      std::memcpy(slot[0].data(), pictures.data(), static_cast<std::size_t>(n) * picture_bytes);
      return n;
    }));
  }
  while (!in_flight.empty()) collect_oldest();
  EXPECT_GT(2 * clear, places) << "the classes' probabilities are too close to tell them apart";
}

}  // namespace fovea::test
