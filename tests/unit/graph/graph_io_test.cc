#include "engine/graph/graph_io.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Value constant(Graph& graph, const std::string& name, TensorDesc desc) {
  std::vector<std::byte> bytes(byte_size(desc));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 5);
  return graph.add(Constant{std::move(desc), Buffer::from(std::move(bytes))}, {}, name);
}

Value parameter(Graph& graph, const std::string& name, Shape shape) {
  return graph.add(Constant{{DType::kFloat32, std::move(shape)}, nullptr}, {}, name);
}

/// Every operator, with attributes that differ from the defaults and floats that are no short
/// decimals.
Graph every_op() {
  Graph g;
  const Value pixels = g.add(Input{{DType::kUInt8, {30'000}}}, {}, "pixels");
  const Value table = g.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  const PreprocessSpec spec{.height = 8,
                            .width = 8,
                            .interpolation = Interpolation::kLanczos,
                            .fit = Fit::kCentreCrop,
                            .shorter_side = 9,
                            .color = ColorMode::kRgb,
                            .mode = Normalization::kTorch};
  const NormalizationConstants constants = normalization_constants(Normalization::kCaffe);
  g.add(ResizeNormalize{spec, constants, 4, DType::kBFloat16}, {pixels, table}, "both");
  Value x = g.add(ResizeImage{spec}, {pixels, table}, "resize");
  x = g.add(NormalizeImage{normalization_constants(Normalization::kTorch), 4}, {x}, "normalize");
  x = g.add(Rescale{0.1, -1.0 / 3.0}, {x}, "rescale");
  x = g.add(Pad{{1, 0, 2, 1}, -0.0F}, {x}, "pad");
  const Value kernel_q = constant(g, "kernel_q", {DType::kInt8, {6, 3, 3, 2}});
  const Value scale = constant(g, "scale", {DType::kFloat32, {6}});
  const Value zero = constant(g, "zero", {DType::kInt8, {6}});
  const Value kernel = g.add(DequantizeLinear{0, true}, {kernel_q, scale, zero}, "kernel");
  const Value bias = parameter(g, "bias \"ü\\", {6});
  Conv2d conv;
  conv.strides = {2, 1};
  conv.dilations = {1, 2};
  conv.pads = {0, 1, 2, 3};
  conv.groups = 2;
  conv.bias = true;
  conv.activation = {ActivationKind::kClip, 0.1F, std::nextafter(6.0F, 7.0F)};
  x = g.add(conv, {x, kernel, bias}, "conv:0");
  const Value taps = parameter(g, "taps", {6, 2, 1, 1});
  const Value filters = parameter(g, "filters", {6, 1, 1, 6});
  const SeparableConv2d separable{
      .depthwise = {.dilations = {2, 1}, .pads = {2, 0, 0, 0}, .groups = 6},
      .pointwise = {.bias = true, .activation = {ActivationKind::kTanh}}};
  x = g.add(separable, {x, taps, filters, bias}, "separable");
  g.add(QuantizeLinear{3}, {x, scale, zero}, "quantize");
  const Value ones = parameter(g, "ones", {6});
  x = g.add(BatchNorm{1.001e-5}, {x, ones, ones, ones, ones}, "bn");
  x = g.add(Lrn{4, 1e-4, 0.3, 1.1}, {x}, "lrn");
  x = g.add(Relu{}, {x}, "relu");
  x = g.add(Clip{-kInfinity, 1e-45F}, {x}, "clip");
  x = g.add(Tanh{}, {x}, "tanh");
  x = g.add(Sigmoid{}, {x}, "sigmoid");
  x = g.add(MaxPool{{2, 2}, {1, 1}, {0, 1, 0, 1}}, {x}, "max");
  x = g.add(
      AveragePool{{1, 2}, {1, 2}, {0, 1, 0, 0}, true, {ActivationKind::kRelu}}, {x}, "average");
  x = g.add(Add{{ActivationKind::kTanh, 0.0F, 0.0F}}, {x, x}, "add");
  x = g.add(Mul{}, {x, ones}, "mul");
  g.add(Slice{.axis = 2, .begin = 1, .size = 2}, {x}, "slice");
  x = g.add(Concat{3}, {x, x}, "concat");
  x = g.add(Transpose{{0, 3, 1, 2}}, {x}, "nchw");
  x = g.add(Transpose{{0, 2, 3, 1}}, {x}, "nhwc");
  x = g.add(GlobalPool{PoolKind::kMax, true}, {x}, "pool");
  x = g.add(Reshape{{kBatch, 12}}, {x}, "flat");
  x = g.add(Dense{false, {ActivationKind::kSigmoid, 0.0F, 0.0F}},
            {x, parameter(g, "w", {5, 12})},
            "dense");
  x = g.add(Softmax{}, {x}, "softmax");
  x = g.add(Identity{}, {x}, "identity");
  const Value top = g.add(TopK{3, true}, {x}, "top");
  const Value indices{top.node, 1};
  g.add(Cast{DType::kFloat16}, {top}, "cast");
  g.mark_output(top, "values");
  g.mark_output(indices, "indices");
  return g;
}

void expect_same(const Graph& actual, const Graph& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (NodeId id = 0; id < expected.size(); ++id) {
    const Node& node = expected.node(id);
    SCOPED_TRACE(node.name);
    EXPECT_EQ(actual.node(id).name, node.name);
    EXPECT_EQ(actual.node(id).op, node.op);
    EXPECT_EQ(actual.node(id).inputs, node.inputs);
    EXPECT_EQ(actual.node(id).outputs, node.outputs);
    EXPECT_EQ(actual.node(id).layer, node.layer);
    EXPECT_EQ(actual.node(id).trainable, node.trainable);
  }
  EXPECT_TRUE(std::ranges::equal(actual.outputs(), expected.outputs()));
}

TEST(GraphIo, TheTestGraphHasEveryOperator) {
  std::vector<bool> seen(std::variant_size_v<Op>, false);
  const Graph graph = every_op();
  for (const Node& node : graph.nodes()) seen[node.op.index()] = true;

  EXPECT_TRUE(std::ranges::all_of(seen, [](bool one) { return one; }));
}

TEST(GraphIo, RoundTripsEveryOperatorAndEveryBitOfItsNumbers) {
  const Graph before = every_op();

  const Graph after = parse_graph(graph_json(before), constant_tensors(before));

  expect_same(after, before);
  EXPECT_EQ(graph_json(after), graph_json(before));
  const auto* pad = after.node(after.find("pad")).as<Pad>();
  EXPECT_TRUE(std::signbit(pad->value)) << "-0 became 0";
}

TEST(GraphIo, RoundTripsWhatIsRecordedOfLayers) {
  Graph before = every_op();
  before.set_layer(before.find("conv:0"), "Conv2D");
  before.set_trainable(before.find("kernel_q"), false);
  before.set_trainable(before.find("w"), true);

  expect_same(parse_graph(graph_json(before), constant_tensors(before)), before);
}

TEST(GraphIo, RoundTripsNotANumber) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 2, 2, 1}}}, {}, "x");
  before.add(Pad{{0, 0, 0, 0}, std::numeric_limits<float>::quiet_NaN()}, {x}, "y");

  const Graph after = parse_graph(graph_json(before), {});

  EXPECT_TRUE(std::isnan(after.node(1).as<Pad>()->value));
}

TEST(GraphIo, RoundTripsRandomFloats) {
  std::mt19937 random(4);
  std::uniform_int_distribution<std::uint32_t> bits;
  Graph before;
  before.add(Input{{DType::kFloat32, {kBatch, 1, 1, 1}}}, {}, "x");
  for (int i = 0; i < 2'000; ++i) {
    const auto value = std::bit_cast<float>(bits(random));
    if (std::isnan(value)) continue;
    before.add(Pad{{0, 0, 0, 0}, value}, {{0, 0}}, "pad" + std::to_string(i));
  }

  expect_same(parse_graph(graph_json(before), {}), before);
}

TEST(GraphIo, LeavesOutAnInputActivationThatIsNone) {
  Graph before;
  const Value x = before.add(Input{{DType::kFloat32, {kBatch, 4, 4, 1}}}, {}, "x");
  const Value w = parameter(before, "w", {1, 3, 3, 1});
  before.add(Conv2d{}, {x, w}, "plain");
  EXPECT_EQ(graph_json(before).find("input_activation"), std::string::npos);
  before.add(Conv2d{.input_activation = ActivationKind::kRelu}, {x, w}, "relu");

  const std::string text = graph_json(before);

  EXPECT_NE(text.find(R"("input_activation":"relu")"), std::string::npos) << text;
  expect_same(parse_graph(text, {}), before);
}

TEST(GraphIo, LeavesOutWhatIsFusedIntoAnOperatorWhereThereIsNone) {
  Graph before;
  Value x = before.add(Input{{DType::kFloat32, {kBatch, 4, 4, 1}}}, {}, "x");
  x = before.add(Conv2d{}, {x, parameter(before, "w", {4, 1, 1, 1})}, "conv");
  x = before.add(AveragePool{{4, 4}}, {x}, "pool");
  before.add(TopK{2}, {before.add(Reshape{{kBatch, 4}}, {x}, "flat")}, "top");
  const std::string plain = graph_json(before);
  for (const char* name : {"activation_channels", "softmax"}) {
    EXPECT_EQ(plain.find(name), std::string::npos) << name;
  }
  Conv2d conv{.activation = {ActivationKind::kRelu}, .activation_channels = 3};
  before.replace_op(before.find("conv"), conv);

  const std::string text = graph_json(before);

  EXPECT_NE(text.find(R"("activation_channels":3)"), std::string::npos) << text;
  expect_same(parse_graph(text, {}), before);
}

TEST(GraphIo, SharesTheBytesOfTheTensors) {
  const Graph before = every_op();
  const NamedTensors tensors = constant_tensors(before);

  const Graph after = parse_graph(graph_json(before), tensors);

  EXPECT_EQ(tensors.size(), 3U) << "a declared parameter has no tensor";
  const auto* scale = after.node(after.find("scale")).as<Constant>();
  EXPECT_EQ(scale->data, tensors.at("scale").second);
  EXPECT_EQ(after.node(after.find("w")).as<Constant>()->data, nullptr);
}

TEST(GraphIo, WritesOneNodeALine) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
  const Value top = graph.add(TopK{1}, {x}, "top");
  graph.mark_output({top.node, 1}, "y");

  EXPECT_EQ(graph_json(graph), R"({"format": 1,
 "nodes": [
  {"name":"x","op":"Input","inputs":[],"attributes":{"desc":{"dtype":"f32","shape":[-1,2]}}},
  {"name":"top","op":"TopK","inputs":["x"],"attributes":{"k":1}}],
 "outputs": [
  {"name":"y","value":["top",1]}]}
)");
}

TEST(GraphIo, RefusesTwoConstantsOfOneName) {
  Graph graph;
  constant(graph, "w", {DType::kFloat32, {1}});
  constant(graph, "w", {DType::kFloat32, {1}});

  expect_error(ErrorCode::kArgumentInvalid, "two constants are called 'w'", [&] {
    (void)constant_tensors(graph);
  });
}

TEST(GraphIo, RefusesToWriteANameThatIsNotUtf8) {
  Graph graph;
  graph.add(Input{{DType::kFloat32, {1}}}, {}, "\xff");

  expect_error(ErrorCode::kArgumentInvalid, "UTF-8", [&] { (void)graph_json(graph); });
}

// --- Hostile files ---

const std::string kInput =
    R"({"name":"x","op":"Input","inputs":[],"attributes":{"desc":{"dtype":"f32","shape":[-1,4]}}})";

std::string with_nodes(const std::string& rows) {
  return R"({"format": 1, "nodes": [)" + rows + R"(], "outputs": []})";
}

/// A second node of that operator, reading x.
std::string with_op(const std::string& op, const std::string& attributes) {
  return with_nodes(kInput + R"(,{"name":"y","op":")" + op + R"(","inputs":["x"],"attributes":)" +
                    attributes + "}");
}

std::string with_input_shape(const std::string& shape) {
  return with_nodes(R"({"name":"x","op":"Input","inputs":[],"attributes":{"desc":{"dtype":"f32",)"
                    R"("shape":)" +
                    shape + "}}}");
}

struct BadGraph {
  std::string text;
  std::string message;
  ErrorCode code = ErrorCode::kModelCorrupt;
};

std::vector<BadGraph> bad_graphs() {
  const auto node = [](const std::string& rest) { return with_nodes(kInput + "," + rest); };
  return {
      {"", "not JSON at byte"},
      {"[]", "not an object"},
      {"3", "not an object"},
      {"{}", "no 'format'"},
      {R"({"format":1)", "not JSON"},
      {R"({"format":1} x)", "not JSON"},
      {R"({"format":"1"})", "not a number"},
      {R"({"format":2})",
       "format 2, this version reads format 1",
       ErrorCode::kModelUnsupportedFormat},
      {R"({"nodes":[{}]})", "does not begin with its 'format'"},
      {R"({"format":1,"format":1})", "occurs twice"},
      {R"({"format":1,"extra":1})", "unknown key 'extra'"},
      {node(R"({"name":"y","op":"Relu","inputs":["x"],"attributes":{},"layer":""})"), "'layer'"},
      {node(R"({"name":"y","op":"Relu","inputs":["x"],"attributes":{},"layer":1})"), "'layer'"},
      {node(R"({"name":"y","op":"Relu","inputs":["x"],"attributes":{},"layers":"a"})"),
       "a member too many"},
      {node(R"({"name":"y","op":"Relu","inputs":["x"],"attributes":{},"trainable":true})"),
       "only a Constant is a parameter"},
      {node(R"({"name":"y","op":"Relu","inputs":["x"],"attributes":{},"trainable":1})"),
       "'trainable' must be true or false"},
      {R"({"format":1,"extra":[1]})", "not an object"},
      {R"({"format":1,"extra":[{}]})", "unknown key 'extra'"},
      {with_nodes("1"), "not an object"},
      {with_nodes("{}"), "without a text 'name'"},
      {with_nodes(R"({"name":1})"), "without a text 'name'"},
      {with_nodes(R"({"name":"x","name":"x"})"), "occurs twice"},
      {with_nodes(R"({"name":"x"})"), "without a text 'op'"},
      {with_nodes(R"({"name":"a\u0000b","op":"Relu"})"), "a node is called 'a?b'"},
      {with_nodes(R"({"name":"a\nb","op":"Relu"})"), "a node is called 'a?b'"},
      {with_nodes(R"({"name":"x","op":"Lambda"})"),
       "no operator 'Lambda'",
       ErrorCode::kModelUnsupportedOp},
      {with_nodes(R"({"name":"x","op":"Relu","inputs":[]})"), "attribute '' must be an object"},
      {with_nodes(R"({"name":"x","op":"Relu","inputs":[],"attributes":{}})"), "Relu 'x'"},
      {node(R"({"name":"y","op":"Relu","inputs":["x"],"attributes":{},"more":1})"), "too many"},
      {node(R"({"name":"y","op":"Relu","inputs":"x","attributes":{}})"), "must be a list"},
      {node(R"({"name":"y","op":"Relu","inputs":[1],"attributes":{}})"), "neither a name"},
      {node(R"({"name":"y","op":"Relu","inputs":[["x",1]],"attributes":{}})"), "no such output"},
      {node(R"({"name":"y","op":"Relu","inputs":[["x",-1]],"attributes":{}})"), "no such output"},
      {node(R"({"name":"y","op":"Relu","inputs":[["x",4294967296]],"attributes":{}})"),
       "no such output"},
      {node(R"({"name":"y","op":"Relu","inputs":["absent"],"attributes":{}})"), "called 'absent'"},
      {node(R"({"name":"y","op":"Relu","inputs":["y"],"attributes":{}})"), "called 'y'"},
      {node(R"({"name":"y","op":"Relu","inputs":["z"],"attributes":{}},)"
            R"({"name":"z","op":"Relu","inputs":["y"],"attributes":{}})"),
       "called 'z' comes before its use"},
      {with_nodes(kInput + "," + kInput), "two nodes are called 'x'"},
      {with_op("TopK", "{}"), "TopK 'y': attribute 'k' is missing"},
      {with_op("TopK", R"({"k":1,"j":1})"), "attribute 'j' is unknown"},
      {with_op("TopK", R"({"k":1.5})"), "attribute 'k' must be an integer"},
      {with_op("TopK", R"({"k":"1"})"), "attribute 'k' must be an integer"},
      {with_op("TopK", R"({"k":18446744073709551615})"),
       "attribute 'k' must be an integer in range"},
      {with_op("TopK", R"({"k":5})"), "TopK 'y'"},
      {with_op("Clip", R"({"lo":0,"hi":1e39})"), "attribute 'hi' must be a number in range"},
      {with_op("Clip", R"({"lo":0,"hi":null})"), "attribute 'hi' must be a number"},
      {with_op("Clip", R"({"lo":0,"hi":"6"})"), "attribute 'hi' must be a number"},
      {with_op("Clip", R"({"lo":0,"hi":1e999})"), "not JSON"},
      {with_op("Cast", R"({"to":"f64"})"), "attribute 'to'"},
      {with_op("Cast", R"({"to":1})"), "attribute 'to' must be a word"},
      {with_op("GlobalPool", R"({"kind":"median","keep_dims":false})"), "'median'"},
      {with_op("GlobalPool", R"({"kind":"max","keep_dims":0})"), "must be true or false"},
      {with_op("Pad", R"({"pads":[1,1,1],"value":0})"), "attribute 'pads' must be a list of 4"},
      {with_op("Pad", R"({"pads":[1,1,1,[1]],"value":0})"), "attribute 'pads' must be an integer"},
      {with_op("Add", R"({"activation":{"kind":"relu","lo":0}})"), "'activation.hi' is missing"},
      {with_op("Add", R"({"activation":{"kind":"relu","lo":0,"hi":0,"x":0}})"),
       "'activation.x' is unknown"},
      {with_op("Add", R"({"activation":"relu"})"), "'activation' must be an object"},
      {with_input_shape("4"), "'desc.shape' must be a list"},
      {with_input_shape("[-2]"), "Input 'x'"},
      {with_input_shape("[4611686018427387904,4611686018427387904]"), "Input 'x'"},
      {with_input_shape("[1,1,1,1,1,1,1,1,1]"), "9 dimensions, at most 8", ErrorCode::kModelLimit},
      {with_op("Transpose", R"({"perm":[0,1,2,3,4,5,6,7,8]})"),
       "9 dimensions",
       ErrorCode::kModelLimit},
      {with_nodes(R"({"name":"c","op":"Constant","inputs":[],)"
                  R"("attributes":{"desc":{"dtype":"f32","shape":[2]}}})"),
       "too few"},
      {with_nodes(R"({"name":"c","op":"Constant","inputs":[],"data":1,)"
                  R"("attributes":{"desc":{"dtype":"f32","shape":[2]}}})"),
       "'data' must be true or false"},
      {with_nodes(R"({"name":"c","op":"Constant","inputs":[],"data":true,)"
                  R"("attributes":{"desc":{"dtype":"f32","shape":[2]}}})"),
       "Constant 'c': its tensor is not in the weights"},
      {with_nodes(R"({"name":"w","op":"Constant","inputs":[],"data":true,)"
                  R"("attributes":{"desc":{"dtype":"f32","shape":[2]}}})"),
       "Constant 'w': it is f32[2], its tensor in the weights is f32[3]"},
      {R"({"format":1,"nodes":[],"outputs":[{"name":"o","value":"x"}]})", "called 'x'"},
      {R"({"format":1,"nodes":[],"outputs":[{"name":"o"}]})", "too few"},
      {R"({"format":1,"nodes":[],"outputs":[{"value":"x"}]})", "without a text 'name'"},
  };
}

TEST(GraphIo, RefusesWhatItWouldNotWrite) {
  const NamedTensors weights{
      {"w", {{DType::kFloat32, {3}}, Buffer::from(std::vector<std::byte>(12))}}};

  for (const BadGraph& bad : bad_graphs()) {
    SCOPED_TRACE(bad.text);
    expect_error(bad.code, bad.message, [&] { (void)parse_graph(bad.text, weights); });
  }
}

TEST(GraphIo, RefusesMoreNodesThanTheLimit) {
  std::string rows;
  for (NodeId i = 0; i <= kMaxGraphNodes; ++i) {
    rows += (i == 0 ? "" : ",") + std::string(R"({"name":")") + std::to_string(i) +
            R"(","op":"Input","inputs":[],"attributes":{"desc":{"dtype":"u8","shape":[1]}}})";
  }

  expect_error(ErrorCode::kModelLimit, "more than 100000 nodes", [&] {
    (void)parse_graph(with_nodes(rows), {});
  });
}

TEST(GraphIo, RefusesHugeAndDeepRowsBeforeTheyAreBuilt) {
  std::string many = "[0";
  for (int i = 0; i < 20'000; ++i) many += ",0";

  expect_error(ErrorCode::kModelLimit, "more than 10000 values", [&] {
    (void)parse_graph(with_op("Transpose", R"({"perm":)" + many + "]}"), {});
  });
  expect_error(ErrorCode::kModelLimit, "nested deeper than 16", [&] {
    (void)parse_graph(with_nodes(std::string(1'000'000, '[')), {});
  });
}

TEST(GraphIo, SurvivesRandomDamage) {
  const Graph graph = every_op();
  const std::string text = graph_json(graph);
  const NamedTensors tensors = constant_tensors(graph);
  std::mt19937 random(11);
  std::size_t refused = 0;
  constexpr std::size_t kRounds = 3'000;

  for (std::size_t round = 0; round < kRounds; ++round) {
    std::string damaged = text;
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        damaged[at] = static_cast<char>(random() % 128);
        break;
      case 1:
        damaged.resize(at);
        break;
      case 2:
        damaged.erase(at, random() % 40);
        break;
      default:
        damaged.insert(at, text.substr(random() % text.size(), random() % 40));
    }
    try {
      parse_graph(damaged, tensors).verify();
    } catch (const Error& error) {
      ASSERT_NE(error.code(), ErrorCode::kInternal) << error.what();
      ASSERT_NE(error.code(), ErrorCode::kArgumentInvalid) << error.what();
      ++refused;
    }
  }

  // Damage to a name or a digit may leave another graph; most of it may not.
  EXPECT_GT(refused, kRounds / 2);
  EXPECT_LT(refused, kRounds);
}

}  // namespace
}  // namespace fovea
