// Operators that move elements or only rename dimensions: everything is in the format's own order.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/import_worker/onnx_testing.h"

namespace fovea {
namespace {

using test::Floats;
using test::numbers;
using test::OnnxModel;
using test::run_onnx;

constexpr ErrorCode kCorrupt = ErrorCode::kModelCorrupt;
constexpr ErrorCode kUnsupported = ErrorCode::kModelUnsupportedOp;

using List = std::vector<std::int64_t>;

void expect_refused(const OnnxModel& model, ErrorCode code, const std::string& part) {
  test::expect_error(code, part, [&] { (void)model.import(); });
}

void add_list(OnnxModel& model, const std::string& name, const List& values) {
  model.add_tensor(name, 7, {static_cast<std::int64_t>(values.size())}, values);
}

/// A convolution that changes nothing, so that the graph holds the picture as NHWC.
void add_picture(OnnxModel& model, std::int64_t channels, const char* name) {
  Floats unit(static_cast<std::size_t>(channels * channels));
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    unit[c * static_cast<std::size_t>(channels) + c] = 1;
  }
  model.add_floats(std::string(name) + "_w", {channels, channels, 1, 1}, unit);
  model.add_node("Conv", {"x", (std::string(name) + "_w").c_str()}, name);
}

/// The shape of the model's output for one picture, in the order of the file.
Shape output_shape(const OnnxModel& model) {
  const Graph graph = with_batch(model.import().graph, 1);
  return graph.desc(graph.outputs()[0].value).shape;
}

/// x {N,2,2,3} held as NHWC, reshaped to `shape`.
OnnxModel reshaped(const List& shape, std::int64_t batch = -1) {
  OnnxModel model({batch, 2, 2, 3});
  add_picture(model, 2, "same");
  add_list(model, "shape", shape);
  model.add_node("Reshape", {"same", "shape"}, "y");
  model.add_output("y");
  return model;
}

TEST(OnnxShape, ReshapesInTheFormatsOrder) {
  const Floats x = numbers(12);
  for (const List& shape :
       {List{-1, 12}, List{0, 12}, List{0, -1}, List{1, 12}, List{-1, 4, 3}, List{0, 0, 6}}) {
    const OnnxModel model = reshaped(shape);

    EXPECT_EQ(run_onnx(model, x), x) << shape.size();
    EXPECT_EQ(output_shape(model).size(), shape.size());
  }
  EXPECT_EQ(output_shape(reshaped({0, 0, 6})), (Shape{1, 2, 6}));
  EXPECT_EQ(output_shape(reshaped({0, -1, 3})), (Shape{1, 4, 3}));
}

TEST(OnnxShape, TakesTheDeclaredBatchForTheBatch) {
  const OnnxModel model = reshaped({4, -1}, 4);

  const Graph graph = model.import().graph;

  EXPECT_EQ(graph.desc(graph.outputs()[0].value).shape, (Shape{kBatch, 12}));
}

TEST(OnnxShape, RefusesToMixPictures) {
  for (const List& shape : {List{12}, List{-1}, List{6, 2}, List{-1, 6}, List{0, 2, 2, 3, 2}}) {
    expect_refused(reshaped(shape), kUnsupported, "Reshape 'y' makes a shape of f32[N,2,2,3]");
  }
  // One row for all of an open number of pictures; the second declares four.
  expect_refused(reshaped({1, -1}), kUnsupported, "not that of the batch");
  expect_refused(reshaped({1, -1}, 4), kUnsupported, "not that of the batch");
}

TEST(OnnxShape, RefusesShapesThatAreNone) {
  expect_refused(reshaped({-1, -1}), kCorrupt, "two dimensions of its shape open");
  expect_refused(reshaped({0, -1, -1}), kCorrupt, "two dimensions of its shape open");
  expect_refused(reshaped({-1, -2}), kCorrupt, "dimension -2");
  expect_refused(reshaped({-1, 2, 2, 3, 0}), kCorrupt, "does not have");
  expect_refused(reshaped({0, -1, 5}), kCorrupt, "cannot divide 12 elements by 5");
  expect_refused(reshaped({0, std::int64_t{1} << 62}), kCorrupt, "Reshape 'y'");
  expect_refused(reshaped({0, 12, 1, 1, 1, 1, 1, 1, 1}), kCorrupt, "dimensions");

  OnnxModel computed({-1, 4});
  computed.add_input("shape", {2});
  computed.add_node("Reshape", {"x", "shape"}, "y");
  computed.add_output("y");
  expect_refused(computed, kUnsupported, "computes its 'shape'");

  OnnxModel floats({-1, 4});
  floats.add_floats("shape", {2}, {-1, 4});
  floats.add_node("Reshape", {"x", "shape"}, "y");
  floats.add_output("y");
  expect_refused(floats, kCorrupt, "has f32[2] for its 'shape'");

  OnnxModel empty = reshaped({0, 0, -1});
  test::set_int(*empty.graph().mutable_node(1), "allowzero", 1);
  expect_refused(empty, kUnsupported, "without elements");
}

TEST(OnnxShape, ReshapesWeights) {
  // As Caffe2's exporter writes a dense layer: the weights come as a picture.
  OnnxModel model({-1, 3});
  model.add_floats("w", {1, 2, 1, 3}, {1, 2, 3, 4, 5, 6});
  model.add_floats("b", {2}, {100, 200});
  add_list(model, "shape", {2, -1});
  model.add_node("Reshape", {"w", "shape"}, "matrix");
  test::set_int(model.add_node("Gemm", {"x", "matrix", "b"}, "y"), "transB", 1);
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 10, 100}), (Floats{421, 854}));
  const Graph graph = model.import().graph;
  EXPECT_NE(graph.node(graph.find("matrix")).as<Constant>(), nullptr);

  OnnxModel wrong({-1, 3});
  wrong.add_floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  add_list(wrong, "shape", {2, 4});
  wrong.add_node("Reshape", {"w", "shape"}, "y");
  wrong.add_output("y");
  expect_refused(wrong, kCorrupt, "another number of elements");
}

TEST(OnnxShape, ShufflesChannels) {
  // ShuffleNet: four channels in two groups come out as 0, 2, 1, 3.
  OnnxModel model({-1, 4, 1, 2});
  add_picture(model, 4, "same");
  add_list(model, "split", {-1, 2, 2, 1, 2});
  add_list(model, "joined", {-1, 4, 1, 2});
  model.add_node("Reshape", {"same", "split"}, "groups");
  test::set_ints(model.add_node("Transpose", {"groups"}, "turned"), "perm", {0, 2, 1, 3, 4});
  model.add_node("Reshape", {"turned", "joined"}, "shuffled");
  model.add_floats("w", {1, 4, 1, 1}, {1, 10, 100, 1000});
  model.add_node("Conv", {"shuffled", "w"}, "y");
  model.add_output("shuffled");
  const Floats x{1, 2, 3, 4, 5, 6, 7, 8};

  EXPECT_EQ(run_onnx(model, x), (Floats{1, 2, 5, 6, 3, 4, 7, 8}));

  model.graph().mutable_output(0)->set_name("y");
  EXPECT_EQ(run_onnx(model, x), (Floats{7351, 8462}));
}

TEST(OnnxShape, Transposes) {
  OnnxModel model({-1, 2, 1, 3});
  add_picture(model, 2, "same");
  test::set_ints(model.add_node("Transpose", {"same"}, "y"), "perm", {0, 3, 2, 1});
  model.add_output("y");
  EXPECT_EQ(run_onnx(model, {1, 2, 3, 4, 5, 6}), (Floats{1, 4, 2, 5, 3, 6}));

  // Without a perm the order is reversed.
  OnnxModel weights({-1, 3});
  weights.add_floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  weights.add_node("Transpose", {"w"}, "turned");
  weights.add_node("Gemm", {"x", "turned"}, "y");
  weights.add_output("y");
  EXPECT_EQ(run_onnx(weights, {1, 10, 100}), (Floats{321, 654}));

  OnnxModel batch({-1, 2, 3});
  test::set_ints(batch.add_node("Transpose", {"x"}, "y"), "perm", {1, 0, 2});
  batch.add_output("y");
  expect_refused(batch, kUnsupported, "Transpose 'y' moves the batch");

  OnnxModel twice({-1, 2, 3});
  test::set_ints(twice.add_node("Transpose", {"x"}, "y"), "perm", {0, 1, 1});
  twice.add_output("y");
  expect_refused(twice, kCorrupt, "does not fit its inputs");
}

TEST(OnnxShape, AddsAndDropsDimensions) {
  for (const std::int64_t operator_set : {9, 13}) {
    OnnxModel model({-1, 3}, operator_set);
    onnx::NodeProto& up = model.add_node("Unsqueeze", {"x"}, "picture");
    model.add_floats("w", {1, 3, 1, 1}, {1, 10, 100});
    model.add_node("Conv", {"picture", "w"}, "sum");
    onnx::NodeProto& down = model.add_node("Squeeze", {"sum"}, "y");
    if (operator_set == 9) {
      test::set_ints(up, "axes", {2, 3});
      test::set_ints(down, "axes", {3, 2});
    } else {
      add_list(model, "up", {-1, 2});
      add_list(model, "down", {-1, -2});
      up.add_input("up");
      down.add_input("down");
    }
    model.add_output("y");

    EXPECT_EQ(run_onnx(model, {1, 2, 3}), (Floats{321})) << operator_set;
    EXPECT_EQ(output_shape(model), (Shape{1, 1})) << operator_set;
  }
}

TEST(OnnxShape, RefusesDimensionsThatCannotBe) {
  const auto with = [](const char* op, std::initializer_list<std::int64_t> axes) {
    OnnxModel model({-1, 1, 3}, 11);
    onnx::NodeProto& node = model.add_node(op, {"x"}, "y");
    if (axes.size() != 0) test::set_ints(node, "axes", axes);
    model.add_output("y");
    return model;
  };

  expect_refused(with("Squeeze", {2}), kCorrupt, "drops dimension 2 of f32[N,1,3]");
  expect_refused(with("Squeeze", {0}), kUnsupported, "drops the dimension of the batch");
  expect_refused(with("Squeeze", {}), kUnsupported, "does not say which dimensions");
  expect_refused(with("Squeeze", {1, -2}), kCorrupt, "has it twice");
  expect_refused(with("Squeeze", {3}), kCorrupt, "axis 3 of 3 dimensions");
  expect_refused(with("Unsqueeze", {0}), kUnsupported, "before that of the batch");
  expect_refused(with("Unsqueeze", {}), kCorrupt, "has no 'axes'");
  expect_refused(with("Unsqueeze", {5}), kCorrupt, "axis 5 of 4 dimensions");
}

TEST(OnnxShape, JoinsChannelsOfPictures) {
  OnnxModel model({-1, 1, 2, 2});
  model.add_floats("w", {2, 1, 1, 1}, {10, 100});
  model.add_node("Conv", {"x", "w"}, "two");
  test::set_int(model.add_node("Concat", {"two", "x", "two"}, "y"), "axis", -3);
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2, 3, 4}), (Floats{10, 20, 30, 40, 100, 200, 300, 400, 1,   2,
                                                   3,  4,  10, 20, 30,  40,  100, 200, 300, 400}));
}

TEST(OnnxShape, JoinsAlongEveryAxis) {
  const Floats x{1, 2, 3, 4, 5, 6, 7, 8};
  const auto joined = [&](std::int64_t axis) {
    OnnxModel model({-1, 2, 2, 2});
    add_picture(model, 2, "same");
    test::set_int(model.add_node("Concat", {"same", "x"}, "y"), "axis", axis);
    model.add_output("y");
    return run_onnx(model, x);
  };

  EXPECT_EQ(joined(1), (Floats{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(joined(2), (Floats{1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8}));
  EXPECT_EQ(joined(3), (Floats{1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6, 7, 8, 7, 8}));
}

TEST(OnnxShape, RefusesToJoinWhatDoesNotFit) {
  OnnxModel batch({-1, 2});
  test::set_int(batch.add_node("Concat", {"x", "x"}, "y"), "axis", 0);
  batch.add_output("y");
  expect_refused(batch, kUnsupported, "Concat 'y' joins f32[N,2] along its first dimension");

  OnnxModel constant({-1, 2});
  constant.add_floats("c", {1, 2}, {1, 2});
  test::set_int(constant.add_node("Concat", {"x", "c"}, "y"), "axis", 1);
  constant.add_output("y");
  expect_refused(constant, kUnsupported, "only one is there for every picture");

  OnnxModel axis({-1, 2});
  axis.add_node("Concat", {"x", "x"}, "y");
  axis.add_output("y");
  expect_refused(axis, kCorrupt, "has no 'axis'");

  OnnxModel ranks({-1, 2, 2, 2});
  ranks.add_input("z", {-1, 2});
  add_picture(ranks, 2, "same");
  test::set_int(ranks.add_node("Concat", {"same", "z"}, "y"), "axis", 1);
  ranks.add_output("y");
  expect_refused(ranks, kCorrupt, "does not fit its inputs");
}

TEST(OnnxShape, PadsRowsAndColumns) {
  for (const std::int64_t operator_set : {9, 13}) {
    OnnxModel model({-1, 2, 1, 2}, operator_set);
    onnx::NodeProto& pad = model.add_node("Pad", {"x"}, "y");
    if (operator_set == 9) {
      test::set_ints(pad, "pads", {0, 0, 1, 0, 0, 0, 0, 2});
      test::set_float(pad, "value", 9);
    } else {
      add_list(model, "pads", {0, 0, 1, 0, 0, 0, 0, 2});
      model.add_floats("nine", {}, {9});
      pad.add_input("pads");
      pad.add_input("nine");
    }
    model.add_output("y");

    EXPECT_EQ(run_onnx(model, {1, 2, 3, 4}),
              (Floats{9, 9, 9, 9, 1, 2, 9, 9, 9, 9, 9, 9, 3, 4, 9, 9}))
        << operator_set;
  }
}

TEST(OnnxShape, RefusesOtherPads) {
  const auto with = [](const List& pads, const char* mode) {
    OnnxModel model({-1, 2, 3, 3});
    add_list(model, "pads", pads);
    test::set_text(model.add_node("Pad", {"x", "pads"}, "y"), "mode", mode);
    model.add_output("y");
    return model;
  };

  expect_refused(with({0, 0, 1, 1, 0, 0, 1, 1}, "reflect"), kUnsupported, "constant borders");
  expect_refused(with({0, 1, 0, 0, 0, 1, 0, 0}, "constant"), kUnsupported, "the channels");
  expect_refused(with({0, 0, -1, 0, 0, 0, 0, 0}, "constant"), kUnsupported, "negative pads");
  expect_refused(with({1, 1, 1, 1}, "constant"), kCorrupt, "has 4 pads");
}

}  // namespace
}  // namespace fovea
