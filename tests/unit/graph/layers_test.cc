#include "engine/graph/layers.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/graph.h>

#include "engine/api/model_graph.h"
#include "engine/core/buffer.h"

namespace fovea {
namespace {

Graph graph_of(GraphBuilder& net) {
  return ModelGraphAccess::graph(net.build());
}

/// "type name(inputs) parameters | parameters that are not trained", names without their layer's.
std::vector<std::string> lines(const Graph& graph) {
  const std::vector<Layer> all = layers(graph);
  std::vector<std::string> lines;
  for (const Layer& layer : all) {
    const std::string& name = graph.node(layer.result).name;
    std::string line = layer.type + ' ' + name + '(';
    for (const LayerInput& input : layer.inputs) {
      if (!line.ends_with('(')) line += ", ";
      line += graph.node(all.at(input.layer).result).name;
      if (input.output != 0) line += ':' + std::to_string(input.output);
    }
    line += ')';
    for (std::size_t i = 0; i < layer.parameters.size(); ++i) {
      if (i == layer.trainable) line += " |";
      line += ' ' + graph.node(layer.parameters[i]).name;
    }
    lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Layers, CollectsTheNodesOfALayer) {
  GraphBuilder net;
  Tensor x = net.input({8, 8, 3}, "in");
  x = net.conv2d(
      x, {.filters = 4, .kernel = {3, 3}, .activation = ActivationFunction::kRelu}, "conv");
  x = net.batch_norm(x, {.scale = false}, "bn");
  x = net.global_average_pool2d(x, "pool");
  net.output(net.dense(x, {.units = 2, .use_bias = false}, "out"));

  EXPECT_EQ(lines(graph_of(net)),
            (Lines{"InputLayer in()",
                   "Conv2D conv(in) conv/kernel conv/bias",
                   "BatchNormalization bn(conv) bn/beta | bn/moving_mean bn/moving_variance",
                   "GlobalAveragePooling2D pool(bn)",
                   "Dense out(pool) out/kernel"}));
}

TEST(Layers, AreOrderedByDepthThenByTheFirstVisitFromTheOutput) {
  GraphBuilder net;
  const Tensor in = net.input({4}, "in");
  const Tensor near = net.activation(in, ActivationFunction::kTanh, "near");
  const Tensor far = net.activation(in, ActivationFunction::kRelu, "far");
  const Tensor farther = net.activation(far, ActivationFunction::kRelu, "farther");
  const Tensor third = net.activation(in, ActivationFunction::kSigmoid, "third");
  net.output(net.concatenate({third, farther, near}, "out"));

  EXPECT_EQ(lines(graph_of(net)),
            (Lines{"InputLayer in()",
                   "Activation far(in)",
                   "Activation third(in)",
                   "Activation farther(far)",
                   "Activation near(in)",
                   "Concatenate out(third, farther, near)"}));
}

TEST(Layers, AnInputThatNothingNeedsComesFirstAtTheEnd) {
  GraphBuilder net;
  const Tensor in = net.input({4}, "in");
  (void)net.input({5}, "spare");
  (void)net.input({6}, "spare_too");
  const Tensor a = net.activation(in, ActivationFunction::kTanh, "a");
  net.output(a);
  net.output(net.activation(a, ActivationFunction::kTanh, "b"));

  EXPECT_EQ(lines(graph_of(net)),
            (Lines{"InputLayer in()",
                   "Activation a(in)",
                   "InputLayer spare()",
                   "InputLayer spare_too()",
                   "Activation b(a)"}));
}

TEST(Layers, ASequentialInputIsNone) {
  GraphBuilder net;
  net.output(net.flatten(net.sequential_input({2, 2, 1}, "in"), "flat"));
  const Graph graph = graph_of(net);

  EXPECT_EQ(lines(graph), Lines{"Flatten flat()"});
  EXPECT_TRUE(is_chain(layers(graph)));
}

TEST(Layers, AResultThatIsReadTwiceIsAnInputTwiceButNotInsideALayer) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  graph.set_layer(x.node, "InputLayer");
  const Value gate = graph.add(Sigmoid{}, {x}, "swish/gate");
  const Value swish = graph.add(Mul{}, {x, gate}, "swish");
  graph.set_layer(swish.node, "Activation");
  const Value sum = graph.add(Add{}, {swish, swish}, "sum");
  graph.set_layer(sum.node, "Add");
  graph.mark_output(graph.add(TopK{.k = 2}, {sum}, "top"));  // no layer, so it is not listed

  EXPECT_EQ(lines(graph),
            (Lines{"InputLayer x()", "Activation swish(x)", "Add sum(swish, swish)"}));
  EXPECT_FALSE(is_chain(layers(graph)));
}

TEST(Layers, WithoutRecordsAreTheNodes) {
  Graph graph;
  const auto constant = [&](const Shape& shape, const char* name) {
    return graph.add(Constant{{DType::kFloat32, shape}, nullptr}, {}, name);
  };
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3}}}, {}, "x");
  const Value kernel = graph.add(Transpose{{1, 0}}, {constant({3, 2}, "w")}, "wt");
  const Value fc = graph.add(Dense{.bias = true}, {x, kernel, constant({2}, "b")}, "fc");
  std::vector<Value> inputs{fc};
  for (const char* name : {"gamma", "beta", "mean", "variance"}) {
    inputs.push_back(constant({2}, name));
  }
  const Value bn = graph.add(BatchNorm{}, inputs, "bn");
  const Value top = graph.add(TopK{.k = 2}, {bn}, "top");
  graph.mark_output(graph.add(Identity{}, {{top.node, 1}}, "y"));

  EXPECT_EQ(lines(graph),
            (Lines{"Input x()",
                   "Dense fc(x) w b",
                   "BatchNorm bn(fc) gamma beta | mean variance",
                   "TopK top(bn)",
                   "Identity y(top:1)"}));
}

TEST(Layers, StayRecordedThroughCopies) {
  GraphBuilder net;
  Tensor x = net.input({8, 8, 3}, "in");
  x = net.batch_norm(x, {}, "bn");
  net.output(net.flatten(x, "flat"));
  const Graph graph = graph_of(net);

  Graph bound = with_batch(graph, 2);
  bound.compact();
  EXPECT_EQ(lines(bound), lines(graph));
}

}  // namespace
}  // namespace fovea
