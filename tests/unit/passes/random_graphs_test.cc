// Every pass on random graphs: what the graph means stays, by the definitions of its operators.
//
// FOVEA_RANDOM_GRAPHS=COUNT[@FIRST] runs COUNT graphs from seed FIRST on; the default is 5000@0,
// and 1500@0 under sanitizers, which take three times as long.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "engine/graph/graph_io.h"
#include "engine/passes/pass.h"
#include "tests/support/random_graph.h"
#include "tests/support/rounding_bound.h"

namespace fovea {
namespace {

using test::Bytes;
using test::NodeValues;

/// Tests that run side by side; each takes every so-many-th graph.
constexpr std::uint64_t kShards = 10;

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kGraphs = 1'500;
#else
constexpr std::uint64_t kGraphs = 5'000;
#endif

/// Passes that select and move elements and leave all arithmetic as it is: nothing may differ.
constexpr std::array<std::string_view, 10> kExact{"resize-on-host",
                                                  "remove-no-ops",
                                                  "fold-constants",
                                                  "fold-pad",
                                                  "merge-equal-nodes",
                                                  "hoist-activation",
                                                  "fuse-input-activation",
                                                  "fuse-resize-normalize",
                                                  "fuse-separable",
                                                  "drop-dead-nodes"};

/// Of an operator that a pass rewrites, weights, bias and result are rounded once more each, or the
/// result of a neighbour that is gone is not; two such rewrites may meet in one operator.
constexpr double kRoundings = 6.0;

double roundings_of(const Pass& pass) {
  return std::ranges::find(kExact, pass.name) != kExact.end() ? 0.0 : kRoundings;
}

TargetTraits everything() {
  return {.fused_activations = ~0U,
          .fuses_residual = true,
          .fuses_input_relu = true,
          .most_separable_filters = 9,
          .writes_slices = true,
          .reads_slices = true,
          .partial_activations = ~0U,
          .fuses_pool_activation = true,
          .fuses_softmax_topk = true,
          .pixel_alignment_bytes = 16,
          .resizes_on_host = false,
          .fuses_resize_normalize = true};
}

TargetTraits nothing() {
  return {};
}

PassContext context_of(const TargetTraits& traits) {
  PassContext context;
  context.traits = traits;
  return context;
}

/// One random graph with its values, to which rewritten ones are held.
class Original {
 public:
  explicit Original(std::uint64_t seed)
      : seed_(seed),
        graph_(test::random_graph(seed)),
        concrete_(with_batch(graph_, batch())),
        values_(test::evaluate_nodes(concrete_, test::random_graph_inputs(concrete_, seed))) {}

  [[nodiscard]] const Graph& graph() const { return graph_; }

  /// Whether `after` is what the graph was; `what` was done to it.
  void expect_same(const Graph& after, double roundings, const std::string& what) const {
    const std::string problem = problem_with(after, roundings);
    if (problem.empty()) return;
    ADD_FAILURE() << what << ": " << problem << "\nFOVEA_RANDOM_GRAPHS=1@" << seed_
                  << " repeats it. Before:\n"
                  << graph_json(graph_) << "After:\n"
                  << graph_json(after);
  }

 private:
  [[nodiscard]] std::int64_t batch() const { return 1 + static_cast<std::int64_t>(seed_ % 2); }

  [[nodiscard]] std::string problem_with(const Graph& after, double roundings) const {
    try {
      after.verify();
    } catch (const Error& error) {
      return error.what();
    }
    if (after.outputs().size() != graph_.outputs().size()) return "it has other outputs";
    for (std::size_t i = 0; i < after.outputs().size(); ++i) {
      const GraphOutput& was = graph_.outputs()[i];
      const GraphOutput& is = after.outputs()[i];
      if (is.name != was.name) return cat("'", was.name, "' became '", is.name, "'");
      if (after.desc(is.value) != graph_.desc(was.value)) return cat("'", was.name, "' changed");
    }
    return difference(with_batch(after, batch()), roundings);
  }

  [[nodiscard]] std::string difference(const Graph& after, double roundings) const {
    const auto bounds = test::rounding_bounds(concrete_, values_, roundings);
    const NodeValues values = test::evaluate_nodes(after, inputs_of(after));
    for (std::size_t i = 0; i < after.outputs().size(); ++i) {
      const Value is = after.outputs()[i].value;
      const auto& actual =
          values[static_cast<std::size_t>(is.node)][static_cast<std::size_t>(is.output)];
      const auto problem =
          test::mismatch(concrete_, values_, bounds, concrete_.outputs()[i].value, actual);
      if (problem) return cat("output '", after.outputs()[i].name, "': ", *problem);
    }
    return {};
  }

  /// A pass may let a graph begin later: an input is then what the node of that name was.
  [[nodiscard]] std::map<std::string, Bytes> inputs_of(const Graph& after) const {
    std::map<std::string, Bytes> inputs;
    for (const NodeId id : after.inputs()) {
      const std::string& name = after.node(id).name;
      inputs[name] = values_.at(static_cast<std::size_t>(concrete_.find(name)))[0];
    }
    return inputs;
  }

  std::uint64_t seed_;
  Graph graph_;
  Graph concrete_;
  NodeValues values_;
};

class RandomGraphs : public testing::TestWithParam<std::uint64_t> {
 protected:
  RandomGraphs() {
    const char* set = std::getenv("FOVEA_RANDOM_GRAPHS");
    if (set == nullptr) return;
    char* end = nullptr;
    count_ = std::strtoull(set, &end, 10);
    if (*end == '@') first_ = std::strtoull(end + 1, &end, 10);
    if (count_ == 0 || *end != '\0') throw InvalidArgument("FOVEA_RANDOM_GRAPHS=COUNT[@FIRST]");
  }

  /// Calls check(original) for this test's share of the graphs, until one fails.
  template <typename Check>
  void for_each_graph(Check check) {
    for (std::uint64_t i = GetParam(); i < count_ && !HasFailure(); i += kShards, ++graphs_) {
      check(Original(first_ + i));
    }
  }

  /// Expects every pass to change at least one graph in 50. The rarest passes change about one in
  /// 25, so a share of too few graphs may miss that by chance and says nothing.
  void expect_exercised(const std::map<std::string_view, int>& changes) const {
    constexpr int kAGraphIn = 50;
    if (graphs_ < 10 * kAGraphIn) return;
    for (const Pass& pass : default_passes()) {
      // These do nothing for float32.
      if (pass.name == "reduce-precision" || pass.name == "merge-columns") continue;
      const auto found = changes.find(pass.name);
      const int times = found == changes.end() ? 0 : found->second;
      EXPECT_GE(times * kAGraphIn, graphs_)
          << pass.name << " is hardly ever tested: is its trait on?";
      RecordProperty(std::string(pass.name), times);
    }
  }

  std::uint64_t count_ = kGraphs;
  std::uint64_t first_ = 0;
  int graphs_ = 0;
};

TEST_P(RandomGraphs, EveryPassAloneKeepsTheMeaning) {
  std::map<std::string_view, int> changes;
  for_each_graph([&](const Original& original) {
    for (const TargetTraits& traits : {everything(), nothing()}) {
      for (const Pass& pass : default_passes()) {
        Graph after = original.graph();
        PassContext context = context_of(traits);
        if (pass.run(after, context)) {
          ++changes[pass.name];
          original.expect_same(after, roundings_of(pass), std::string(pass.name));
        } else {
          EXPECT_EQ(to_dot(after), to_dot(original.graph())) << pass.name << " tells nobody";
        }
      }
    }
  });

  // Some passes need what an earlier one makes; the pipeline's test counts those.
  EXPECT_FALSE(changes.empty());
}

TEST_P(RandomGraphs, ThePipelineKeepsTheMeaning) {
  std::map<std::string_view, int> changes;
  for_each_graph([&](const Original& original) {
    for (const TargetTraits& traits : {everything(), nothing()}) {
      Graph after = original.graph();
      PassContext context = context_of(traits);
      std::string run;
      context.on_change = [&](std::string_view pass, const Graph& /*graph*/) {
        ++changes[pass];
        run += cat(run.empty() ? "" : ", ", pass);
      };

      run_passes(after, default_passes(), context);

      original.expect_same(after, kRoundings, run);
    }
  });

  expect_exercised(changes);
}

TEST_P(RandomGraphs, ThePipelineWithoutAnyOnePassKeepsTheMeaning) {
  std::size_t next = GetParam();
  for_each_graph([&](const Original& original) {
    const Pass& left_out = default_passes()[next++ % default_passes().size()];
    Graph after = original.graph();
    PassContext context = context_of(everything());

    const std::vector<std::string> names{std::string(left_out.name)};
    run_passes(after, passes_without(names), context);

    original.expect_same(after, kRoundings, cat("all but ", left_out.name));
  });
}

INSTANTIATE_TEST_SUITE_P(Shard,
                         RandomGraphs,
                         testing::Range(std::uint64_t{0}, kShards),
                         testing::PrintToStringParamName());

TEST(RandomGraph, HasEveryOperator) {
  std::vector<int> seen(std::variant_size_v<Op>, 0);
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const Graph graph = test::random_graph(seed);
    graph.verify();
    for (const Node& node : graph.nodes()) ++seen[node.op.index()];
  }

  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_GE(seen[i], 10) << "operator " << i;
}

TEST(RandomGraph, FollowsFromItsSeed) {
  EXPECT_EQ(graph_json(test::random_graph(7)), graph_json(test::random_graph(7)));
  EXPECT_NE(graph_json(test::random_graph(7)), graph_json(test::random_graph(8)));
}

}  // namespace
}  // namespace fovea
