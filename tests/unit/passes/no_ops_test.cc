#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

using test::count_ops;
using test::difference;

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
  before.mark_output(before.add(Relu{}, {y}, "relu"));
  Graph after = before;
  PassContext context;

  EXPECT_TRUE(kNoOps.run(after, context));

  EXPECT_EQ(after.size(), 2);
  EXPECT_EQ(difference(before, after), 0.0F);
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
  graph.mark_output(graph.add(Reshape{{kBatch, 24}}, {y}, "reshape"));
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
