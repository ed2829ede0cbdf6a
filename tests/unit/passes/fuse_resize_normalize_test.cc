#include "engine/graph/interpret.h"
#include "engine/graph/random_inputs.h"
#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::fusing_context;
using test::refusal;

const Pass kPass = find_pass("fuse-resize-normalize");

const PreprocessSpec kSpec{.height = 4, .width = 5, .interpolation = Interpolation::kBilinear};

/// Pictures to floats, and on to the element type where it is another one.
Graph classifier_head(DType to = DType::kFloat32) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, 4096}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  Value x = graph.add(ResizeImage{kSpec}, {pixels, table}, "resized");
  x = graph.add(NormalizeImage{normalization_constants(Normalization::kTf), 8}, {x}, "normalized");
  if (to != DType::kFloat32) x = graph.add(Cast{to}, {x}, "cast");
  graph.mark_output(graph.add(Relu{}, {x}, "relu"));
  return graph;
}

std::vector<TensorBytes> outputs_of(const Graph& graph) {
  const Graph concrete = with_batch(graph, 2);
  return evaluate_graph(concrete, random_inputs(concrete, /*seed=*/1));
}

TEST(FuseResizeNormalize, OneOperatorResizesAndNormalises) {
  const Graph before = classifier_head();
  Graph after = before;
  PassContext context = fusing_context();

  EXPECT_TRUE(kPass.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<ResizeImage>(after) + count_ops<NormalizeImage>(after), 0);
  EXPECT_EQ(*after.node(after.find("normalized")).as<ResizeNormalize>(),
            (ResizeNormalize{kSpec, normalization_constants(Normalization::kTf), 8}));
  EXPECT_EQ(context.report.decisions().back().reason, "took 'resized' over");
  EXPECT_EQ(outputs_of(after), outputs_of(before));
}

TEST(FuseResizeNormalize, TakesTheCastToAHalfTypeInAsWell) {
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    const Graph before = classifier_head(half);
    Graph graph = before;
    PassContext context = fusing_context();

    EXPECT_TRUE(kPass.run(graph, context));

    graph.verify();
    EXPECT_EQ(count_ops<Cast>(graph), 0);
    EXPECT_EQ(graph.node(graph.find("normalized")).as<ResizeNormalize>()->to, half);
    EXPECT_EQ(graph.desc(graph.node(graph.find("relu")).inputs[0]).dtype, half);
    EXPECT_EQ(context.report.decisions().back().reason, "took 'resized' and 'cast' over");
    EXPECT_EQ(outputs_of(graph), outputs_of(before));
  }
}

TEST(FuseResizeNormalize, LeavesACastThatIsNotAloneAndOtherCasts) {
  Graph both = classifier_head(DType::kFloat16);
  both.mark_output({both.find("normalized"), 0}, "floats");
  PassContext context = fusing_context();
  EXPECT_TRUE(kPass.run(both, context));
  EXPECT_EQ(both.node(both.find("normalized")).as<ResizeNormalize>()->to, DType::kFloat32);
  EXPECT_EQ(count_ops<Cast>(both), 1);

  Graph leaves = classifier_head(DType::kFloat16);
  leaves.mark_output({leaves.find("cast"), 0}, "halves");
  EXPECT_TRUE(kPass.run(leaves, context));
  EXPECT_EQ(count_ops<Cast>(leaves), 0);
  EXPECT_EQ(leaves.desc(leaves.outputs()[1].value).dtype, DType::kFloat16);
}

TEST(FuseResizeNormalize, WithoutAResizeTheCastAloneIsTakenIn) {
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    Graph before;
    Value x = before.add(Input{{DType::kUInt8, {kBatch, 4, 5, 3}}}, {}, "pixels");
    x = before.add(
        NormalizeImage{normalization_constants(Normalization::kTorch), 8}, {x}, "normalized");
    before.mark_output(before.add(Cast{half}, {x}, "cast"));
    Graph graph = before;
    PassContext context = fusing_context();

    EXPECT_TRUE(kPass.run(graph, context));

    graph.verify();
    EXPECT_EQ(count_ops<Cast>(graph), 0);
    EXPECT_EQ(graph.node(graph.find("normalized")).as<NormalizeImage>()->to, half);
    EXPECT_EQ(context.report.decisions().back().reason, "took 'cast' over");
    EXPECT_EQ(outputs_of(graph), outputs_of(before));
  }
}

TEST(FuseResizeNormalize, NotWhereTheResizedBytesAreSeen) {
  Graph graph = classifier_head();
  graph.mark_output({graph.find("resized"), 0});
  PassContext context = fusing_context();

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal(context), "'resized' is also used elsewhere");
}

TEST(FuseResizeNormalize, NotWhereTheTargetCannot) {
  Graph graph = classifier_head();
  PassContext context = fusing_context();
  context.traits.fuses_resize_normalize = false;

  EXPECT_FALSE(kPass.run(graph, context));
  EXPECT_EQ(refusal(context), "the target resizes and normalises apart");
}

}  // namespace
}  // namespace fovea
