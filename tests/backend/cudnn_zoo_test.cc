// Every convolution of the zoo as cuDNN's operation graphs: that cuDNN takes them, and how many
// engines it has for each. That number falls from 61 to 11 where a graph is spelt in another way.
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include <fovea/model.h>

#include "engine/api/classify_graph.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/core/require.h"
#include "engine/plan/execution_plan.h"
#include "models/builders/zoo.h"
#include "tests/support/real_cudnn.h"
#include "tests/support/unbuilt_backend.h"

namespace fovea {
namespace {

constexpr std::array kPrecisions{
    Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16};

constexpr int kHopper = 90;

/// The network's plan in this precision, whose convolutions the library offers.
std::shared_ptr<const ExecutionPlan> compile(
    const Graph& graph,
    std::unique_ptr<const cuda::ConvolutionLibrary> convolutions,
    Precision precision,
    std::vector<std::int64_t> batches) {
  auto backend = cuda::make_backend("cuda", {.convolutions = std::move(convolutions)}, kHopper);
  return compile_plan(graph,
                      test::make_unbuilt_backend(std::move(backend)),
                      {.buckets = std::move(batches), .precision = precision});
}

Graph served(std::string_view network) {
  return served_graph(open_model(network, {.weights = "random"}));
}

/// Of a separable convolution in two steps, "depthwise:runs+cudnn:bo:eng1", the second one.
std::string pointwise_tactic(const std::string& tactic) {
  constexpr std::string_view kDepthwise = "depthwise:runs+";
  return tactic.starts_with(kDepthwise) ? tactic.substr(kDepthwise.size()) : tactic;
}

/// "fp16 z+bo+relu:61-engines" and of how many steps, of a network's plans for three batch sizes;
/// of both types of the bias.
std::map<std::string, int> engines_of(std::string_view network,
                                      const std::shared_ptr<const cuda::CudnnLibrary>& library) {
  std::map<std::string, int> rows;
  const Graph graph = served(network);
  for (const Precision precision : kPrecisions) {
    const auto plan = compile(graph, cuda::make_cudnn_graphs(library), precision, {1, 8, 32});
    for (const TacticDecision& decision : plan->tactics.decisions) {
      for (const TacticCandidate& candidate : decision.candidates) {
        const std::string tactic = pointwise_tactic(candidate.tactic);
        if (!tactic.starts_with("cudnn:")) continue;
        ++rows[cat(to_string(precision), ' ', tactic.substr(6))];
      }
    }
  }
  return rows;
}

/// Of the golden table, whose lines are "network precision spelling:count-engines steps".
std::map<std::string, int> expected_engines(std::string_view network) {
  std::ifstream file(FOVEA_SOURCE_DIR "/tests/golden/cudnn/engines.txt");
  std::map<std::string, int> rows;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    std::string precision;
    std::string engines;
    int steps = 0;
    if (!(words >> name >> precision >> engines >> steps) || name != network) continue;
    rows[cat(precision, ' ', engines)] = steps;
  }
  return rows;
}

class CudnnZoo : public testing::TestWithParam<std::string> {};

TEST_P(CudnnZoo, HasAsManyEnginesAsTheGoldenTable) {
  std::string why;
  const auto library = test::real_cudnn(why);
  if (library == nullptr) GTEST_SKIP() << why;
  if (!library->version.starts_with("9.19.")) {
    GTEST_SKIP() << "the table is of cuDNN 9.19, not " << library->version;
  }

  const std::map<std::string, int> engines = engines_of(GetParam(), library);

  std::string table;
  for (const auto& [row, steps] : engines) {
    table.append(cat(GetParam(), ' ', row, ' ', steps, '\n'));
  }
  EXPECT_EQ(engines, expected_engines(GetParam())) << table;
  EXPECT_FALSE(engines.empty());
}

/// On a device of compute capability 9.0: heuristics have an engine that is compiled ahead, whose
/// plan was built, or for a grouped convolution one that compiles its kernel.
TEST_P(CudnnZoo, HasASupportedEngineForEveryConvolution) {
  std::string why;
  const auto library = test::real_cudnn(why);
  if (library == nullptr) GTEST_SKIP() << why;
  const Graph graph = served(GetParam());

  for (const Precision precision : kPrecisions) {
    auto convolutions =
        cuda::make_cudnn_convolutions(library, {.properties = test::sm_90_properties()});
    const auto plan = compile(graph, std::move(convolutions), precision, {8});

    std::size_t steps = 0;
    for (const PlannedStep& step : plan->buckets.front().steps) {
      if (step.node == kNoNode) continue;
      const Node& node = plan->graph.node(step.node);
      const auto* conv = node.as<Conv2d>();
      if (conv == nullptr && node.as<SeparableConv2d>() == nullptr) continue;
      ++steps;
      const bool is_grouped = conv != nullptr && conv->groups > 1;
      // Ours for one channel a group, cuDNN's for all others.
      if (is_grouped && step.tactic == "depthwise:runs") continue;
      const std::string tactic = pointwise_tactic(step.tactic);
      EXPECT_TRUE(tactic.starts_with("cudnn:bo:eng") || tactic.starts_with("cudnn:eng") ||
                  (is_grouped && tactic.starts_with("cudnn:bf:eng")))
          << step.name << ": " << step.tactic;
    }
    EXPECT_GT(steps, 0U);
  }
}

std::vector<std::string> networks() {
  std::vector<std::string> names;
  for (const zoo::Model& model : zoo::models()) names.emplace_back(model.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Zoo, CudnnZoo, testing::ValuesIn(networks()), [](const auto& network) {
  return network.param;
});

}  // namespace
}  // namespace fovea
