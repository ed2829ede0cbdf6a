#include "tests/support/zoo_device.h"

#include <algorithm>
#include <cmath>
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
#include "engine/graph/random_inputs.h"
#include "engine/graph/random_weights.h"
#include "engine/passes/pass.h"
#include "engine/runtime/execution_context.h"
#include "engine/runtime/pipelined_context.h"
#include "models/builders/zoo.h"

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

/// The rows of kRanked values and indices.
struct Ranking {
  std::vector<float> values;
  std::vector<std::int32_t> classes;
};

Ranking to_ranking(std::span<const std::byte> values, std::span<const std::byte> indices) {
  Ranking ranking{std::vector<float>(values.size() / sizeof(float)),
                  std::vector<std::int32_t>(indices.size() / sizeof(std::int32_t))};
  std::memcpy(ranking.values.data(), values.data(), values.size());
  std::memcpy(ranking.classes.data(), indices.data(), indices.size());
  return ranking;
}

/// The first n pictures are the same for every n.
TensorBytes pictures_for(const Graph& graph, std::int64_t most) {
  return std::move(random_inputs(with_batch(graph, most), 1).at(0));
}

Ranking by_definition(const Graph& graph, std::int64_t n, std::span<const std::byte> pictures) {
  const auto plan = compile_plan(graph, make_reference_backend(), {.buckets = {n}});
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::span<std::byte>> out;
  for (const TensorInfo& output : plan->outputs) {
    bytes.emplace_back(byte_size(with_batch(output.desc, n)));
  }
  for (auto& buffer : bytes) out.emplace_back(buffer);
  ExecutionContext(plan).run(n, {&pictures, 1}, out);
  return to_ranking(bytes.at(0), bytes.at(1));
}

/// Of one picture; counts the classes that had to be equal.
void expect_near(const Ranking& got, const Ranking& want, std::size_t row, std::size_t& clear) {
  const float bound = 1e-4F * want.values[row * kRanked];
  const std::size_t first = row * static_cast<std::size_t>(kRanked);
  for (std::size_t i = first; i < first + static_cast<std::size_t>(kBest); ++i) {
    EXPECT_NEAR(got.values[i], want.values[i], bound) << "place " << i - first;
    const bool apart = want.values[i] - want.values[i + 1] > 2 * bound &&
                       (i == first || want.values[i - 1] - want.values[i] > 2 * bound);
    if (!apart) continue;
    ++clear;
    EXPECT_EQ(got.classes[i], want.classes[i]) << "place " << i - first;
  }
}

}  // namespace

void expect_classifies_as_the_reference(const ZooNetwork& network,
                                        const std::vector<std::int64_t>& buckets,
                                        const std::vector<std::int64_t>& batches) {
  const Graph graph = ranked(network);
  const std::int64_t most = std::ranges::max(batches);
  const TensorBytes pictures = pictures_for(graph, most);
  const std::size_t picture_bytes = pictures.size() / static_cast<std::size_t>(most);
  const Ranking want = by_definition(graph, most, pictures);

  const auto plan =
      compile_plan(graph, make_cuda_emu_backend(), {.buckets = buckets, .threads = 1});
  PipelinedContext context(plan);
  std::size_t clear = 0;
  std::size_t places = 0;
  std::deque<PipelinedContext::Batch> in_flight;
  const auto collect_oldest = [&] {
    SCOPED_TRACE(testing::Message() << "batch of " << in_flight.front().size());
    const auto outputs = in_flight.front().collect();
    const Ranking got = to_ranking(outputs[0], outputs[1]);
    for (std::size_t row = 0; row < got.values.size() / kRanked; ++row) {
      SCOPED_TRACE(testing::Message() << "picture " << row);
      expect_near(got, want, row, clear);
      places += kBest;
    }
    in_flight.pop_front();
  };
  for (const std::int64_t n : batches) {
    if (in_flight.size() == context.slots()) collect_oldest();
    in_flight.push_back(context.submit([&](std::span<const std::span<std::byte>> inputs) {
      std::memcpy(inputs[0].data(), pictures.data(), static_cast<std::size_t>(n) * picture_bytes);
      return n;
    }));
  }
  while (!in_flight.empty()) collect_oldest();
  EXPECT_GT(2 * clear, places) << "the classes' probabilities are too close to tell them apart";
}

}  // namespace fovea::test
