#include "engine/graph/layer_dot.h"

#include <string>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"

namespace fovea {
namespace {

Graph picture_network() {
  GraphBuilder net;
  const Tensor in = net.input({8, 8, 3}, "in <&\">");
  const Tensor a = net.conv2d(in, {.filters = 3, .activation = ActivationFunction::kRelu6}, "a");
  const Tensor sum = net.add(net.add(a, in, "sum"), a, "twice");
  net.output(net.activation(net.add(sum, sum, "double"), ActivationFunction::kTanh, "out"));
  return ModelGraphAccess::graph(net.build());
}

constexpr const char* kTable =
    R"(<table border="0" cellborder="1" bgcolor="black" cellpadding="10">)";

std::string title(const std::string& name, const std::string& type, int columns) {
  return R"(<tr><td bgcolor="black" colspan=")" + std::to_string(columns) +
         R"("><font point-size="16" color="white"><b>)" + name + "</b> (" + type +
         ")</font></td></tr>";
}

std::string activation(const std::string& name, int columns) {
  return R"(<tr><td bgcolor="white" colspan=")" + std::to_string(columns) +
         R"("><font point-size="14">Activation: <b>)" + name + "</b></font></td></tr>";
}

std::string cell(const std::string& what, const std::string& value) {
  return R"(<td bgcolor="white"><font point-size="14">)" + what + ": <b>" + value +
         "</b></font></td>";
}

TEST(LayerDot, DrawsATableALayerAndAnEdgeAnInput) {
  EXPECT_EQ(layer_dot(picture_network(), {}),
            std::string("digraph {\n"
                        "  rankdir=TB;\n"
                        "  node [shape=plain, fontname=Helvetica];\n"
                        "  edge [penwidth=2];\n") +
                "  layer0 [label=<" + kTable + title("in &lt;&amp;&quot;&gt;", "InputLayer", 1) +
                "</table>>];\n"
                "  layer1 [label=<" +
                kTable + title("a", "Conv2D", 1) + activation("relu6", 1) +
                "</table>>];\n"
                "  layer2 [label=<" +
                kTable + title("sum", "Add", 1) +
                "</table>>];\n"
                "  layer3 [label=<" +
                kTable + title("twice", "Add", 1) +
                "</table>>];\n"
                "  layer4 [label=<" +
                kTable + title("double", "Add", 1) +
                "</table>>];\n"
                "  layer5 [label=<" +
                kTable + title("out", "Activation", 1) + activation("tanh", 1) +
                "</table>>];\n"
                "  layer0 -> layer1;\n"
                "  layer0 -> layer2;\n"
                "  layer1 -> layer2;\n"
                "  layer1 -> layer3;\n"
                "  layer2 -> layer3;\n"
                "  layer3 -> layer4 [weight=20];\n"
                "  layer4 -> layer5 [weight=20];\n"
                "}\n");
}

TEST(LayerDot, ShowsShapesAndTypesWhereAsked) {
  const std::string text = layer_dot(
      picture_network(), {.show_shapes = true, .show_dtype = true, .left_to_right = true});

  EXPECT_NE(text.find("rankdir=LR;"), std::string::npos);
  const std::string shape = "(None, 8, 8, 3)";
  const std::string in = title("in &lt;&amp;&quot;&gt;", "InputLayer", 2) + "<tr>" +
                         cell("Output shape", shape) + cell("Output dtype", "float32") + "</tr>";
  EXPECT_NE(text.find(in), std::string::npos) << text;
  const std::string a = title("a", "Conv2D", 3) + activation("relu6", 3) + "<tr>" +
                        cell("Input shape", shape) + cell("Output shape", shape) +
                        cell("Output dtype", "float32") + "</tr>";
  EXPECT_NE(text.find(a), std::string::npos) << text;
  const std::string sum =
      "<tr>" + cell("Input shape", '[' + shape + ", " + shape + ']') + cell("Output shape", shape);
  EXPECT_NE(text.find(title("sum", "Add", 3) + sum), std::string::npos) << text;
}

TEST(LayerDot, TheFirstLayerOfASequentialShowsWhatItReads) {
  GraphBuilder net;
  net.output(net.flatten(net.sequential_input({2, 3, 1}, "in"), "flat"));

  const std::string text = layer_dot(ModelGraphAccess::graph(net.build()), {.show_shapes = true});

  const std::string row = title("flat", "Flatten", 2) + "<tr>" +
                          cell("Input shape", "(None, 2, 3, 1)") +
                          cell("Output shape", "(None, 6)");
  EXPECT_NE(text.find(row), std::string::npos) << text;
}

TEST(LayerDot, OfANetworkWithoutRecordsNamesTheOperatorsOnce) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kUInt8, {1, 9}}}, {}, "x");
  graph.mark_output(graph.add(Relu{}, {graph.add(Cast{DType::kFloat32}, {x}, "float")}, "y"));

  const std::string text = layer_dot(graph, {.show_dtype = true});

  for (const std::string& part :
       {title("x", "Input", 1) + "<tr>" + cell("Output dtype", "uint8"),
        title("y", "Relu", 1) + "<tr>" + cell("Output dtype", "float32")}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("Activation"), std::string::npos);
}

}  // namespace
}  // namespace fovea
