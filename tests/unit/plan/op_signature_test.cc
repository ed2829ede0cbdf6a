// What changes the tactics or their times changes the signature, and nothing else does.
#include "engine/plan/op_signature.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/passes/constants.h"

namespace fovea {
namespace {

/// A convolution with a residual, and everything about its site that a test may change.
struct ConvSite {
  Conv2d conv{.bias = true, .residual = true};
  Shape picture{2, 6, 5, 4};
  Shape residual{2, 6, 5, 4};
  Shape weights{4, 1, 1, 4};
  Shape weight_strides{};
  float weight = 1.0F;
  std::string name = "conv";
  bool residual_is_input = false;
  std::vector<Layout> layouts = std::vector<Layout>(4);
  int threads = 1;
  bool exact = false;
  std::vector<std::optional<Layout>> wanted{std::nullopt};

  [[nodiscard]] std::string signature() const {
    Graph graph;
    const Value x = graph.add(Input{{DType::kFloat32, picture}}, {}, name + "/x");
    const Value r = graph.add(Input{{DType::kFloat32, residual}}, {}, name + "/r");
    Constant constant = make_constant(
        weights, std::vector<float>(static_cast<std::size_t>(num_elements(weights)), weight));
    constant.strides = weight_strides;
    const Value w = graph.add(constant, {}, name + "/w");
    const Value b = graph.add(make_constant({4}, std::vector<float>(4, weight)), {}, name + "/b");
    const Value y = graph.add(conv, {x, w, b, residual_is_input ? x : r}, name);
    return op_signature({.graph = graph,
                         .node = graph.node(y),
                         .inputs = layouts,
                         .threads = threads,
                         .exact_convolutions = exact,
                         .wanted = wanted});
  }
};

TEST(OpSignature, IsReadableText) {
  EXPECT_EQ(ConvSite{}.signature(),
            R"(Conv2d{"strides":[1,1],"dilations":[1,1],"pads":[0,0,0,0],"groups":1,"bias":true,)"
            R"("residual":true,"activation":{"kind":"none","lo":0.0,"hi":0.0}} )"
            "(f32[2,6,5,4] dense; f32[4,1,1,4] constant; f32[4] constant; f32[2,6,5,4] dense) -> "
            "f32[2,6,5,4] threads 1");
}

TEST(OpSignature, IgnoresNamesAndWeights) {
  ConvSite other;
  other.name = "another";
  other.weight = 2.0F;
  other.layouts[1] = Layout::opaque("meaningless for a Constant", 1);

  EXPECT_EQ(other.signature(), ConvSite{}.signature());
}

TEST(OpSignature, ChangesWithEverythingThatMatters) {
  const std::vector<void (*)(ConvSite&)> changes{
      [](ConvSite& s) { s.conv.activation.kind = ActivationKind::kRelu; },
      [](ConvSite& s) {
        s.conv.pads = {1, 1, 1, 1};
        s.conv.dilations = {2, 2};
        s.weights = {4, 2, 2, 4};
      },
      [](ConvSite& s) {
        s.conv.groups = 4;
        s.weights = {4, 1, 1, 1};
      },
      [](ConvSite& s) { s.picture[0] = s.residual[0] = 3; },
      [](ConvSite& s) { s.weight_strides = {1, 4, 4, 4}; },
      [](ConvSite& s) { s.residual_is_input = true; },
      [](ConvSite& s) { s.layouts[0] = Layout::opaque("aBcd4b", 960); },
      [](ConvSite& s) { s.layouts[0] = Layout::opaque("aBcd4b", 1920); },
      [](ConvSite& s) { s.layouts[0] = Layout::opaque("aBcd8b", 960); },
      [](ConvSite& s) { s.layouts[3] = Layout::opaque("aBcd4b", 960); },
      [](ConvSite& s) { s.layouts[0] = Layout::sliced(8, 0); },
      [](ConvSite& s) { s.layouts[0] = Layout::sliced(8, 4); },
      [](ConvSite& s) { s.layouts[0] = Layout::sliced(12, 0); },
      [](ConvSite& s) { s.wanted = {Layout{}}; },
      [](ConvSite& s) { s.wanted = {Layout::sliced(8, 4)}; },
      [](ConvSite& s) { s.threads = 2; },
      [](ConvSite& s) { s.exact = true; }};
  std::vector<std::string> signatures{ConvSite{}.signature()};

  for (const auto& change : changes) {
    ConvSite site;
    change(site);
    signatures.push_back(site.signature());
  }

  for (std::size_t i = 0; i < signatures.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(signatures[i], signatures[j]) << i << ' ' << j;
  }
}

TEST(OpSignature, KnowsAConstantInputAndElementTypes) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {2, 3}}}, {}, "x");
  const Value c = graph.add(make_constant({2, 3}, std::vector<float>(6)), {}, "c");
  const Value u = graph.add(Input{{DType::kUInt8, {2, 3}}}, {}, "u");
  const auto signature = [&](const Op& op, const std::vector<Value>& inputs) {
    const Value y = graph.add(op, inputs, "y" + std::to_string(graph.size()));
    return op_signature({graph, graph.node(y), std::vector<Layout>(inputs.size())});
  };

  EXPECT_NE(signature(Add{}, {x, c}), signature(Add{}, {c, x}));
  EXPECT_NE(signature(Identity{}, {x}), signature(Identity{}, {u}));
  EXPECT_NE(signature(Relu{}, {x}), signature(Tanh{}, {x}));
}

}  // namespace
}  // namespace fovea
