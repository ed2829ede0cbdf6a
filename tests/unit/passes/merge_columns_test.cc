#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/interpret.h"
#include "engine/graph/random_inputs.h"
#include "engine/passes/rewriter.h"
#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::fusing_context;
using test::random_constant;
using test::refusal;

const Pass kPass = find_pass("merge-columns");

/// The first convolution of a network, as it is behind reduce-precision.
struct Stem {
  std::int64_t height = 6;
  std::int64_t width = 16;
  std::int64_t channels = 3;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  Pads pads{1, 1, 1, 1};
  std::int64_t filters = 5;
  DType half = DType::kFloat16;
};

Graph network(const Stem& stem) {
  Graph graph;
  const Shape picture{kBatch, stem.height, stem.width, stem.channels};
  Value x = graph.add(Input{{DType::kUInt8, picture}}, {}, "pixels");
  const auto mode = stem.channels == 3 ? Normalization::kCaffe : Normalization::kTf;
  x = graph.add(NormalizeImage{normalization_constants(mode), 8}, {x}, "normalized");
  x = graph.add(Cast{stem.half}, {x}, "cast");
  const Value dense = random_constant(
      graph, {stem.filters, stem.kernel, stem.kernel, stem.channels}, /*seed=*/1, "dense");
  const Value weights = graph.add(
      zero_padded(*float_constant(graph, dense), {stem.filters, stem.kernel, stem.kernel, 8}),
      {},
      "weights");
  const Value bias = random_constant(graph, {stem.filters}, /*seed=*/2, "bias");
  const Conv2d conv{.strides = {stem.stride, stem.stride},
                    .pads = stem.pads,
                    .bias = true,
                    .activation = {ActivationKind::kRelu}};
  x = graph.add(conv, {x, weights, bias}, "conv");
  graph.mark_output(graph.add(Relu{}, {x}, "reader"));
  return graph;
}

PassContext half_context() {
  PassContext context = fusing_context();
  context.traits.pixel_alignment_bytes = 16;
  context.precision = Precision::kFp16;
  return context;
}

std::vector<TensorBytes> outputs_of(const Graph& graph) {
  const Graph concrete = with_batch(graph, 2);
  return evaluate_graph(concrete, random_inputs(concrete, /*seed=*/3));
}

const Conv2d& merged_conv(const Graph& graph) {
  return *graph.node(graph.find("conv/merged")).as<Conv2d>();
}

/// Merges, and asks for the same bits.
Graph merged(const Stem& stem) {
  const Graph before = network(stem);
  Graph after = before;
  PassContext context = half_context();
  EXPECT_TRUE(kPass.run(after, context)) << refusal(context);
  after.verify();
  EXPECT_EQ(outputs_of(after), outputs_of(before));
  EXPECT_EQ(after.node(after.find("normalized")).as<NormalizeImage>()->channels, 4);
  EXPECT_EQ(count_ops<Reshape>(after), 2);
  return after;
}

TEST(MergeColumns, TwoOutputsOfAStrideOfTwoBecomeOne) {
  const Graph graph =
      merged({.height = 14, .width = 24, .kernel = 7, .stride = 2, .pads = {3, 3, 3, 3}});
  EXPECT_EQ(graph.desc({graph.find("conv/merged_weights"), 0}).shape, (Shape{10, 7, 3, 16}));
  EXPECT_EQ(merged_conv(graph).strides, (std::array<std::int64_t, 2>{2, 1}));
  EXPECT_EQ(merged_conv(graph).pads, (Pads{3, 1, 3, 1}));
  EXPECT_EQ(graph.desc({graph.find("conv/merged"), 0}).shape, (Shape{kBatch, 7, 6, 10}));
  EXPECT_EQ(graph.desc({graph.find("conv"), 0}).shape, (Shape{kBatch, 7, 12, 5}));
}

TEST(MergeColumns, FourOutputsOfAStrideOfOneBecomeOne) {
  const Graph graph = merged({});
  EXPECT_EQ(graph.desc({graph.find("conv/merged_weights"), 0}).shape, (Shape{20, 3, 3, 16}));
}

TEST(MergeColumns, AStrideOfFourKeepsItsOutputs) {
  const Graph graph = merged(
      {.height = 15, .width = 28, .kernel = 11, .stride = 4, .pads = {0, 0, 0, 0}, .filters = 8});
  EXPECT_EQ(graph.desc({graph.find("conv/merged_weights"), 0}).shape, (Shape{8, 11, 3, 16}));
}

TEST(MergeColumns, PaddingOnOneSideOnlyAndBFloat16) {
  (void)merged({.stride = 2, .pads = {0, 0, 1, 1}, .half = DType::kBFloat16});
  (void)merged({.kernel = 5, .stride = 2, .pads = {2, 1, 1, 2}});
  (void)merged({.kernel = 7, .pads = {3, 5, 3, 1}});
}

TEST(MergeColumns, KeepsEveryBitOfAnyWindow) {
  std::minstd_rand random(7);
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() >> 4U) % (high - low + 1);
  };
  int merged_stems = 0;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t kernel = draw(1, 9);
    const auto pad = [&] { return draw(0, kernel - 1); };
    const Stem stem{.height = draw(9, 12),
                    .width = 4 * draw(3, 7),
                    .kernel = kernel,
                    .stride = std::int64_t{1} << draw(0, 2),
                    .pads = {pad(), pad(), pad(), pad()},
                    .filters = draw(1, 4)};
    const Graph before = network(stem);
    Graph after = before;
    PassContext context = half_context();
    if (!kPass.run(after, context)) continue;
    ++merged_stems;
    after.verify();
    ASSERT_EQ(outputs_of(after), outputs_of(before)) << i;
  }
  EXPECT_GE(merged_stems, 100);
}

TEST(MergeColumns, SaysWhyNot) {
  const auto reason = [](const Stem& stem) {
    Graph graph = network(stem);
    PassContext context = half_context();
    EXPECT_FALSE(kPass.run(graph, context));
    return refusal(context);
  };
  EXPECT_EQ(reason({.width = 15}), "15 columns are no multiple of 4");
  EXPECT_EQ(reason({.pads = {0, 0, 0, 0}}), "14 columns of results are no multiple of 4");
  EXPECT_EQ(reason({.stride = 3, .pads = {1, 1, 1, 1}}), "a stride of 3 is no part of 4");
  EXPECT_EQ(reason({.channels = 1}), "a picture of 1 channel has too few");
  EXPECT_EQ(reason({.kernel = 1, .pads = {1, 1, 1, 3}}), "it would multiply too many zeros");
}

/// What the pass says of each convolution that it leaves alone.
std::map<std::string, std::string> refusals(Graph graph) {
  PassContext context = half_context();
  EXPECT_FALSE(kPass.run(graph, context));
  std::map<std::string, std::string> reasons;
  for (const Decision& decision : context.report.decisions()) {
    EXPECT_EQ(decision.pass, "merge-columns");
    EXPECT_FALSE(decision.taken);
    EXPECT_TRUE(reasons.emplace(decision.node, decision.reason).second) << decision.node;
  }
  return reasons;
}

using Reasons = std::map<std::string, std::string>;

TEST(MergeColumns, OnlyWhereNothingElseReadsTheColumns) {
  for (const std::string node : {"normalized", "cast"}) {
    const Reasons want{{"conv", cat("'", node, "' is read more than once")}};
    Graph of_output = network({});
    of_output.mark_output({of_output.find(node), 0}, "leaves");
    EXPECT_EQ(refusals(of_output), want);

    Graph of_two = network({});
    of_two.mark_output(of_two.add(Relu{}, {{of_two.find(node), 0}}, "other"));
    EXPECT_EQ(refusals(of_two), want);
  }
}

/// A convolution with one tap, whose results are as large as the pictures, that reads or adds them.
Value one_tap(Graph& graph, const std::string& name, Value x, std::optional<Value> residual = {}) {
  std::vector<Value> inputs{x, random_constant(graph, {8, 1, 1, 8}, /*seed=*/4, name + "/w")};
  if (residual) inputs.push_back(*residual);
  return graph.add(Conv2d{.residual = residual.has_value()}, inputs, name);
}

TEST(MergeColumns, EveryConvolutionThatReadsThePicturesIsTold) {
  Graph graph = network({});
  const Value cast{graph.find("cast"), 0};
  graph.mark_output(one_tap(graph, "second", cast));
  graph.mark_output(one_tap(graph, "twice", cast, cast));

  const std::string reason = "'cast' is read more than once";
  EXPECT_EQ(refusals(graph), (Reasons{{"conv", reason}, {"second", reason}, {"twice", reason}}));
}

TEST(MergeColumns, PicturesThatAreAddedAreNotRead) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, 6, 16, 3}}}, {}, "pixels");
  const NormalizeImage normalize{normalization_constants(Normalization::kCaffe), 8};
  const Value floats = graph.add(normalize, {pixels}, "normalized");
  const Value halves = graph.add(Cast{DType::kFloat16}, {floats}, "cast");
  const Value x = graph.add(Input{{DType::kFloat16, {kBatch, 6, 16, 8}}}, {}, "x");
  graph.mark_output(one_tap(graph, "sum", x, halves));

  EXPECT_EQ(refusals(graph), (Reasons{{"sum", "'cast' is not the picture that it reads"}}));
}

TEST(MergeColumns, SaysWhatOfTheParametersIsUnknown) {
  const Graph graph = network({});
  // The node with its operator replaced, or with a Relu behind it.
  const auto with = [&](const std::string& name, const std::optional<Op>& op) {
    const NodeId of = graph.find(name);
    Rewriter rewriter(graph);
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (id != of) {
        rewriter.copy(id);
      } else if (op) {
        rewriter.copy_with(id, *op);
      } else {
        const Value value = rewriter.add(graph.node(id).op, {}, "constant");
        rewriter.copy_onto(id, Relu{}, {value});
      }
    }
    return refusals(rewriter.finish());
  };
  const auto as_halves = [&](const std::string& name) {
    const Constant& constant = *graph.node(graph.find(name)).as<Constant>();
    const TensorDesc desc{DType::kFloat16, constant.desc.shape};
    return Constant{desc, Buffer::from(std::vector<std::byte>(byte_size(desc)))};
  };
  const auto without_data = [&](const std::string& name) {
    return Constant{graph.node(graph.find(name)).as<Constant>()->desc, nullptr};
  };

  EXPECT_EQ(with("weights", {}), (Reasons{{"conv", "its weights are computed"}}));
  EXPECT_EQ(with("bias", {}), (Reasons{{"conv", "its bias is computed"}}));
  EXPECT_EQ(with("weights", as_halves("weights")), (Reasons{{"conv", "its weights are of f16"}}));
  EXPECT_EQ(with("bias", as_halves("bias")), (Reasons{{"conv", "its bias is of f16"}}));
  EXPECT_EQ(with("weights", without_data("weights")),
            (Reasons{{"conv", "its weights are not known"}}));
  EXPECT_EQ(with("bias", without_data("bias")), (Reasons{{"conv", "its bias is not known"}}));
}

TEST(MergeColumns, OnlyForTargetsOfWholeVectors) {
  Graph graph = network({});
  PassContext context = fusing_context();
  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal(context), "the target asks for no multiple of channels");
}

}  // namespace
}  // namespace fovea
