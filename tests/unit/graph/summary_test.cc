#include "engine/graph/summary.h"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/graph.h>

#include "engine/api/model_graph.h"

namespace fovea {
namespace {

Graph two_branches() {
  GraphBuilder net;
  const Tensor in = net.input({8, 8, 3}, "picture");
  const Tensor a = net.batch_norm(in, {}, "norm");
  const Tensor b = net.activation(in, ActivationFunction::kRelu, "relu");
  net.output(net.global_average_pool2d(net.add(a, b, "sum"), "pool"));
  return ModelGraphAccess::graph(net.build());
}

TEST(Summary, OfBranchesSaysWhatIsConnected) {
  EXPECT_EQ(summary(two_branches(), "two", 80),
            "Model: \"two\"\n"
            "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓\n"
            "┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃\n"
            "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩\n"
            "│ picture             │ (None, 8, 8, 3)   │          0 │ -                 │\n"
            "│ (InputLayer)        │                   │            │                   │\n"
            "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
            "│ norm                │ (None, 8, 8, 3)   │         12 │ picture[0][0]     │\n"
            "│ (BatchNormalizatio… │                   │            │                   │\n"
            "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
            "│ relu (Activation)   │ (None, 8, 8, 3)   │          0 │ picture[0][0]     │\n"
            "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
            "│ sum (Add)           │ (None, 8, 8, 3)   │          0 │ norm[0][0],       │\n"
            "│                     │                   │            │ relu[0][0]        │\n"
            "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
            "│ pool                │ (None, 3)         │          0 │ sum[0][0]         │\n"
            "│ (GlobalAveragePool… │                   │            │                   │\n"
            "└─────────────────────┴───────────────────┴────────────┴───────────────────┘\n"
            " Total params: 12 (48.00 B)\n"
            " Trainable params: 6 (24.00 B)\n"
            " Non-trainable params: 6 (24.00 B)\n");
}

/// Columns of the table, by its first line, whose characters have three bytes each.
std::size_t width(const std::string& text) {
  const std::size_t start = text.find('\n') + 1;
  return (text.find('\n', start) - start) / 3;
}

TEST(Summary, FitsItsColumnsUpToKerasOwnWidth) {
  GraphBuilder net;
  net.output(net.flatten(net.input({2, 2, 1}, "in"), "flat"));
  const Graph chain = ModelGraphAccess::graph(net.build());

  EXPECT_EQ(width(summary(two_branches(), "x", 44)), 40U);
  EXPECT_EQ(width(summary(two_branches(), "x", 100)), 96U);
  EXPECT_EQ(width(summary(two_branches(), "x", 200)), 108U);
  EXPECT_EQ(width(summary(chain, "x", 44)), 40U);
  EXPECT_EQ(width(summary(chain, "x", 200)), 88U);
  EXPECT_THROW((void)summary(chain, "x", 43), InvalidArgument);
}

/// The totals of a network with one parameter of so many elements of that type in two layers.
std::string totals(DType dtype, std::int64_t elements) {
  Graph graph;
  const Value w = graph.add(Constant{{dtype, {elements}}, nullptr}, {}, "w");
  graph.set_trainable(w.node, false);
  for (const char* name : {"a", "b"}) {
    const Value layer = graph.add(Identity{}, {w}, name);
    graph.set_layer(layer.node, "Shared");
    graph.mark_output(layer);
  }
  const std::string text = summary(graph, "x", 80);
  return text.substr(text.find(" Total"));
}

TEST(Summary, WritesNumbersAndSizesAsKeras) {
  EXPECT_EQ(totals(DType::kFloat32, 999),
            " Total params: 999 (3.90 KB)\n"
            " Trainable params: 0 (0.00 B)\n"
            " Non-trainable params: 999 (3.90 KB)\n");
  EXPECT_TRUE(totals(DType::kInt8, 1023).starts_with(" Total params: 1,023 (1023.00 B)\n"));
  EXPECT_TRUE(totals(DType::kInt8, 1024).starts_with(" Total params: 1,024 (1.00 KB)\n"));
  EXPECT_TRUE(
      totals(DType::kFloat16, 123'456'789).starts_with(" Total params: 123,456,789 (235.48 MB)\n"));
}

TEST(Summary, OfANetworkWithoutRecordsListsTheOperators) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {1, 9}}}, {}, "x");
  const Value top = graph.add(TopK{.k = 2}, {x}, "top");
  graph.mark_output(graph.add(Identity{}, {{top.node, 1}}, "classes"));

  const std::string text = summary(graph, "ranks", 120);

  EXPECT_NE(text.find("│ x (Input) "), std::string::npos) << text;
  EXPECT_NE(text.find("│ top (TopK) "), std::string::npos) << text;
  EXPECT_NE(text.find("│ [(1, 2), (1, 2)] "), std::string::npos) << text;
  EXPECT_NE(text.find("│ classes (Identity) "), std::string::npos) << text;
}

}  // namespace
}  // namespace fovea
