#include "engine/graph/graph.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_error;
using test::f32;

constexpr auto kInvalid = ErrorCode::kArgumentInvalid;
constexpr auto kInternal = ErrorCode::kInternal;

Value input(Graph& graph, Shape shape, std::string name) {
  return graph.add(Input{.desc = f32(std::move(shape))}, {}, std::move(name));
}

Value parameter(Graph& graph, Shape shape, std::string name) {
  return graph.add(Constant{.desc = f32(std::move(shape)), .data = nullptr}, {}, std::move(name));
}

/// picture -> conv -> relu -> flatten -> top, and a dead branch.
Graph small_graph() {
  Graph graph;
  const Value x = input(graph, {kBatch, 4, 4, 3}, "picture");
  const Value w = parameter(graph, {2, 3, 3, 3}, "conv/kernel");
  const Value conv = graph.add(Conv2d{}, {x, w}, "conv");
  graph.add(Tanh{}, {conv}, "dead");
  const Value relu = graph.add(Relu{}, {conv}, "relu");
  const Value flat = graph.add(Reshape{.shape = {kBatch, 8}}, {relu}, "flatten");
  const Value top = graph.add(TopK{.k = 3}, {flat}, "top");
  graph.mark_output(top, "scores");
  graph.mark_output({top.node, 1});
  return graph;
}

TEST(Graph, InfersEveryOutput) {
  const Graph graph = small_graph();

  EXPECT_EQ(graph.size(), 7);
  EXPECT_EQ(graph.desc({graph.find("conv"), 0}), f32({kBatch, 2, 2, 2}));
  EXPECT_EQ(graph.desc({graph.find("top"), 0}), f32({kBatch, 3}));
  EXPECT_EQ(graph.desc({graph.find("top"), 1}), (TensorDesc{DType::kInt32, {kBatch, 3}}));
  EXPECT_NO_THROW(graph.verify());
}

TEST(Graph, NamesTheNodeThatItRefuses) {
  Graph graph;
  const Value x = input(graph, {kBatch, 4, 4, 3}, "picture");
  const Value w = parameter(graph, {2, 3, 3, 5}, "kernel");

  expect_error(kInvalid, "Conv2d 'stem': ", [&] { graph.add(Conv2d{}, {x, w}, "stem"); });
  expect_error(kInvalid, "f32[2,3,3,5]", [&] { graph.add(Conv2d{}, {x, w}, "stem"); });
  expect_error(kInvalid, "f32[N,4,4,3]", [&] { graph.add(Conv2d{}, {x, w}, "stem"); });
  EXPECT_EQ(graph.size(), 2) << "a refused node must not stay";
}

TEST(Graph, RefusesValuesThatDoNotExist) {
  Graph graph;
  const Value x = input(graph, {kBatch, 3}, "x");
  for (const Value value : {Value{-1, 0}, Value{1, 0}, Value{7, 0}, Value{0, 1}, Value{0, -1}}) {
    expect_error(kInvalid, "Add 'sum': input 1", [&] { graph.add(Add{}, {x, value}, "sum"); });
    expect_error(kInvalid, "graph output 'y'", [&] { graph.mark_output(value, "y"); });
  }
  EXPECT_TRUE(graph.outputs().empty());
}

TEST(Graph, NamesItsOutputsAfterTheirValues) {
  const Graph graph = small_graph();

  ASSERT_EQ(graph.outputs().size(), 2U);
  EXPECT_EQ(graph.outputs()[0], (GraphOutput{{graph.find("top"), 0}, "scores"}));
  EXPECT_EQ(graph.outputs()[1], (GraphOutput{{graph.find("top"), 1}, "top:1"}));
  EXPECT_EQ(value_name(graph, {graph.find("top"), 0}), "top");
}

TEST(Graph, FindsNodesByNameAndInputsInOrder) {
  Graph graph = small_graph();
  input(graph, {kBatch, 2}, "second");

  EXPECT_EQ(graph.inputs(), (std::vector<NodeId>{graph.find("picture"), graph.find("second")}));
  EXPECT_EQ(graph.find("relu"), 4);
  EXPECT_EQ(graph.find("nothing"), -1);
}

TEST(Graph, CountsUsesByNodesAndOutputs) {
  Graph graph = small_graph();

  EXPECT_EQ(graph.use_count(graph.find("conv")), 2);
  EXPECT_EQ(graph.use_count(graph.find("dead")), 0);
  EXPECT_EQ(graph.use_count(graph.find("top")), 2);
  const Value relu{graph.find("relu"), 0};
  graph.add(Add{}, {relu, relu}, "twice");
  EXPECT_EQ(graph.use_count(relu.node), 3);

  graph.compact();
  EXPECT_EQ(graph.use_count(graph.find("conv")), 1);
  EXPECT_EQ(graph.use_count(graph.find("top")), 2);
  graph.clear_outputs();
  EXPECT_EQ(graph.use_count(graph.find("top")), 0);
  EXPECT_EQ(graph.use_count(graph.find("conv")), 1);
}

TEST(Graph, CompactRemovesWhatNoOutputNeeds) {
  Graph graph = small_graph();
  input(graph, {kBatch, 2}, "unused input");

  EXPECT_TRUE(graph.compact());

  EXPECT_EQ(graph.find("dead"), -1);
  EXPECT_NE(graph.find("unused input"), -1);
  EXPECT_EQ(graph.size(), 7);
  EXPECT_EQ(graph.node(graph.find("flatten")).inputs,
            (std::vector<Value>{{graph.find("relu"), 0}}));
  EXPECT_EQ(graph.outputs()[1].value, (Value{graph.find("top"), 1}));
  EXPECT_NO_THROW(graph.verify());
  EXPECT_FALSE(graph.compact()) << "nothing is left to remove";
}

TEST(Graph, CompactKeepsOnlyInputsWithoutOutputs) {
  Graph graph = small_graph();
  graph.clear_outputs();

  EXPECT_TRUE(graph.compact());

  EXPECT_EQ(graph.size(), 1);
  EXPECT_EQ(graph.find("picture"), 0);
}

TEST(Graph, ReplacesAnOperatorThatMakesTheSameOutputs) {
  Graph graph = small_graph();
  const NodeId relu = graph.find("relu");

  graph.replace_op(relu, Clip{.lo = 0.0F, .hi = 6.0F});

  ASSERT_NE(graph.node(relu).as<Clip>(), nullptr);
  EXPECT_EQ(graph.node(relu).as<Relu>(), nullptr);
  expect_error(kInvalid, "Reshape in place of Clip 'relu'", [&] {
    graph.replace_op(relu, Reshape{.shape = {kBatch, 8}});
  });
  expect_error(kInvalid, "TopK 'relu'", [&] { graph.replace_op(relu, TopK{}); });
  EXPECT_NE(graph.node(relu).as<Clip>(), nullptr);
}

TEST(Graph, CopiesSeparately) {
  const Graph original = small_graph();
  Graph copy = original;

  copy.rename(copy.find("relu"), "other");
  copy.compact();

  EXPECT_NE(original.find("relu"), -1);
  EXPECT_NE(original.find("dead"), -1);
}

TEST(Verify, FindsTwoNodesOfOneName) {
  Graph graph = small_graph();
  graph.rename(graph.find("dead"), "relu");

  expect_error(kInternal, "two nodes are called 'relu'", [&] { graph.verify(); });
}

TEST(Verify, FindsTwoOutputsOfOneName) {
  Graph graph = small_graph();
  graph.mark_output({graph.find("relu"), 0}, "scores");

  expect_error(kInternal, "two outputs are called 'scores'", [&] { graph.verify(); });
}

TEST(WithBatch, BindsEveryActivationAndKeepsTheRest) {
  const Graph graph = small_graph();

  const Graph bound = with_batch(graph, 5);

  ASSERT_EQ(bound.size(), graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    EXPECT_EQ(bound.node(id).name, graph.node(id).name);
    EXPECT_EQ(bound.node(id).inputs, graph.node(id).inputs);
    for (std::size_t i = 0; i < graph.node(id).outputs.size(); ++i) {
      EXPECT_EQ(bound.node(id).outputs[i], with_batch(graph.node(id).outputs[i], 5));
      EXPECT_FALSE(has_batch(bound.node(id).outputs[i]));
    }
  }
  EXPECT_EQ(bound.desc({bound.find("conv/kernel"), 0}), f32({2, 3, 3, 3}));
  EXPECT_EQ(bound.node(bound.find("flatten")).as<Reshape>()->shape, (Shape{5, 8}));
  EXPECT_TRUE(std::ranges::equal(bound.outputs(), graph.outputs()));
}

TEST(WithBatch, RefusesNoPictures) {
  const Graph graph = small_graph();
  expect_error(kInvalid, "at least one", [&] { (void)with_batch(graph, 0); });
  expect_error(kInvalid, "", [&] { (void)with_batch(graph, kBatch); });
  expect_error(kInvalid, "Input 'picture'", [&] {
    (void)with_batch(graph, std::numeric_limits<std::int64_t>::max());
  });
}

TEST(ToDot, ListsNodesAndEdgesInOrder) {
  Graph graph;
  const Value x = input(graph, {kBatch, 3}, "x");
  graph.add(Relu{}, {x}, "say \"hi\" \\ there");

  EXPECT_EQ(to_dot(graph),
            "digraph {\n"
            "  n0 [label=\"x\\nInput f32[N,3]\"];\n"
            "  n1 [label=\"say \\\"hi\\\" \\\\ there\\nRelu f32[N,3]\"];\n"
            "  n0 -> n1;\n"
            "}\n");
}

TEST(Op, KnowsItsNameAndPlace) {
  EXPECT_EQ(op_name(Op{MaxPool{}}), "MaxPool");
  EXPECT_EQ(op_name(Op{NormalizeImage{}}), "NormalizeImage");
  EXPECT_EQ(Op{Conv2d{}}.index(), kOpIndex<Conv2d>);
  EXPECT_EQ(Op{Identity{}}.index(), kOpIndex<Identity>);
}

}  // namespace
}  // namespace fovea
