#include <limits>
#include <tuple>

#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const Pass kNoOps = find_pass("remove-no-ops");

Value picture(Graph& graph) {
  return graph.add(Input{{DType::kFloat32, {kBatch, 2, 3, 4}}}, {}, "x");
}

TEST(RemoveNoOps, RemovesEveryKind) {
  Graph before;
  Value y = before.add(Identity{}, {picture(before)}, "identity");
  y = before.add(Reshape{{kBatch, 2, 3, 4}}, {y}, "reshape");
  y = before.add(Rescale{1.0, 0.0}, {y}, "rescale");
  y = before.add(Transpose{{0, 1, 2, 3}}, {y}, "transpose");
  y = before.add(Pad{}, {y}, "pad");
  y = before.add(Concat{}, {y}, "concat");
  y = before.add(Slice{.axis = 3, .begin = 0, .size = 4}, {y}, "slice");
  y = before.add(Clip{-kInfinity, kInfinity}, {y}, "clip");
  y = before.add(Cast{DType::kFloat32}, {y}, "cast");
  before.mark_output(before.add(Relu{}, {y}, "relu"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kNoOps.run(after, context));

  EXPECT_EQ(after.size(), 2);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(RemoveNoOps, ReshapesASinglePixel) {
  for (const bool keep_dims : {false, true}) {
    Graph before;
    const Value x = before.add(Input{{DType::kFloat32, {kBatch, 1, 1, 4}}}, {}, "x");
    const Value pool = before.add(GlobalPool{.keep_dims = keep_dims}, {x}, "pool");
    before.mark_output(before.add(Relu{}, {pool}, "relu"));
    Graph after = before;
    PassContext context;

    EXPECT_TRUE(kNoOps.run(after, context));

    after.verify();
    EXPECT_EQ(count_ops<GlobalPool>(after), 0);
    EXPECT_EQ(count_ops<Reshape>(after), keep_dims ? 0 : 1);
    EXPECT_EQ(difference(before, after), 0.0F);
  }
}

TEST(RemoveNoOps, MergesTransposesAndCancelsOpposites) {
  Graph before;
  const Value x = picture(before);
  const Value there = before.add(Transpose{{0, 3, 1, 2}}, {x}, "there");
  const Value back = before.add(Transpose{{0, 2, 3, 1}}, {there}, "back");
  const Value twice = before.add(Transpose{{0, 3, 1, 2}}, {there}, "twice");
  before.mark_output(before.add(Relu{}, {twice}, "relu"));
  before.mark_output(before.add(Relu{}, {back}, "relu_back"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kNoOps.run(after, context));

  after.verify();
  EXPECT_EQ(count_ops<Transpose>(after), 1);
  EXPECT_EQ(after.node(after.find("twice")).as<Transpose>()->perm,
            (std::vector<std::int64_t>{0, 2, 3, 1}));
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(RemoveNoOps, MergesReshapesAndDropsTheOneThatGoesBack) {
  Graph before;
  const Value x = picture(before);
  const Value flat = before.add(Reshape{{kBatch, 24}}, {x}, "flat");
  before.mark_output(before.add(Reshape{{kBatch, 4, 6}}, {flat}, "rows"));
  before.mark_output(before.add(Reshape{{kBatch, 2, 3, 4}}, {flat}, "back"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kNoOps.run(after, context));

  after.verify();
  EXPECT_EQ(after.size(), 2) << to_dot(after);
  EXPECT_EQ(after.outputs()[1].value, (Value{0, 0}));
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(RemoveNoOps, MergesWhatBoundsTwice) {
  for (const auto& [first, second, both] :
       {std::tuple<Op, Op, Op>(Relu{}, Relu{}, Relu{}),
        {Clip{-1.0F, 1.0F}, Clip{-0.5F, 2.0F}, Clip{-0.5F, 1.0F}},
        {Clip{-1.0F, -0.5F}, Clip{0.25F, 2.0F}, Clip{0.25F, 0.25F}},
        {Clip{1.0F, 1.5F}, Clip{-1.0F, 0.5F}, Clip{0.5F, 0.5F}},
        {Relu{}, Clip{-1.0F, 1.0F}, Clip{0.0F, 1.0F}},
        {Clip{-1.0F, 1.0F}, Relu{}, Clip{0.0F, 1.0F}},
        {Relu{}, Clip{-1.0F, kInfinity}, Relu{}}}) {
    Graph before;
    const Value y = before.add(first, {picture(before)}, "first");
    before.mark_output(before.add(second, {y}, "second"));
    Graph after = before;
    PassContext context;

    EXPECT_TRUE(kNoOps.run(after, context));

    ASSERT_EQ(after.size(), 2) << to_dot(after);
    EXPECT_EQ(after.node(1).op, both) << to_dot(after);
    EXPECT_EQ(difference(before, after), 0.0F) << to_dot(after);
  }
}

TEST(RemoveNoOps, MergesTransposesInTheirOrder) {
  Graph before;
  const Value rows = before.add(Transpose{{0, 2, 1, 3}}, {picture(before)}, "rows");
  before.mark_output(before.add(Transpose{{0, 3, 1, 2}}, {rows}, "both"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kNoOps.run(after, context));

  EXPECT_EQ(after.size(), 2);
  EXPECT_EQ(difference(before, after), 0.0F);
}

TEST(RemoveNoOps, KeepsTheNameOfAnOutput) {
  Graph graph;
  const Value y = graph.add(Relu{}, {picture(graph)}, "relu");
  graph.mark_output(graph.add(Identity{}, {y}, "identity"));
  PassContext context;

  EXPECT_TRUE(kNoOps.run(graph, context));

  EXPECT_EQ(graph.outputs()[0].name, "identity");
}

TEST(RemoveNoOps, LeavesWhatDoesSomething) {
  Graph graph;
  Value y = graph.add(Rescale{1.0, 0.5}, {picture(graph)}, "rescale");
  y = graph.add(Transpose{{0, 2, 1, 3}}, {y}, "transpose");
  y = graph.add(Pad{{1, 0, 0, 0}}, {y}, "pad");
  y = graph.add(Concat{2}, {y, y}, "concat");
  y = graph.add(Slice{.axis = 1, .begin = 1, .size = 3}, {y}, "slice");
  y = graph.add(Clip{-kInfinity, 1.0F}, {y}, "clip");
  y = graph.add(Cast{DType::kFloat16}, {y}, "half");
  y = graph.add(Cast{DType::kFloat32}, {y}, "cast");
  graph.mark_output(graph.add(Reshape{{kBatch, 48}}, {y}, "reshape"));
  PassContext context;

  EXPECT_FALSE(kNoOps.run(graph, context));
}

TEST(ResizeOnHost, ThePlanBeginsBehindTheResizing) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {4096}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  const Value y = graph.add(ResizeImage{{.height = 4, .width = 5}}, {pixels, table}, "resized");
  graph.mark_output(graph.add(NormalizeImage{}, {y}, "normalized"));
  Graph on_device = graph;
  PassContext host;
  PassContext device;
  device.traits.resizes_on_host = false;

  EXPECT_TRUE(find_pass("resize-on-host").run(graph, host));
  EXPECT_FALSE(find_pass("resize-on-host").run(on_device, device));

  ASSERT_EQ(graph.size(), 2);
  EXPECT_EQ(graph.node(0).name, "resized");
  EXPECT_EQ(graph.node(0).outputs[0], (TensorDesc{DType::kUInt8, {kBatch, 4, 5, 3}}));
}

}  // namespace
}  // namespace fovea
