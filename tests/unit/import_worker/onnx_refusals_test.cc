// ONNX models that are refused: with the right code, and a message that names the place.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

using test::OnnxModel;

constexpr ErrorCode kCorrupt = ErrorCode::kModelCorrupt;
constexpr ErrorCode kUnsupportedOp = ErrorCode::kModelUnsupportedOp;
constexpr ErrorCode kUnsupportedFormat = ErrorCode::kModelUnsupportedFormat;

void expect_refused(const OnnxModel& model, ErrorCode code, const std::string& part) {
  test::expect_error(code, part, [&] { (void)model.import(); });
}

/// A picture, weights that fit it and a convolution called "y".
struct ConvModel : OnnxModel {
  explicit ConvModel(const std::vector<std::int64_t>& weights = {1, 1, 3, 3})
      : OnnxModel({-1, 1, 4, 4}) {
    std::size_t count = 1;
    for (const std::int64_t dim : weights) count *= static_cast<std::size_t>(dim);
    add_floats("w", weights, std::vector<float>(count));
    conv = &add_node("Conv", {"x", "w"}, "y");
    add_output("y");
  }

  onnx::NodeProto* conv;
};

TEST(OnnxRefusals, NameEveryOperatorThatIsUnknown) {
  OnnxModel model({-1, 2});
  model.add_node("Lstm", {"x"}, "a");
  model.add_node("Lstm", {"a"}, "b");
  model.add_node("Magic", {"b"}, "c").set_domain("com.example");
  model.add_node("Clip", {"c"}, "y");
  model.add_output("y");

  expect_refused(model, kUnsupportedOp, "Lstm (2 nodes, the first: Lstm 'a')");
  expect_refused(model, kUnsupportedOp, "com.example:Magic (1 node: Magic 'c')");
}

TEST(OnnxRefusals, NoAttributeIsPassedOver) {
  ConvModel model;
  test::set_int(*model.conv, "circular", 1);

  expect_refused(model, kUnsupportedOp, "Conv 'y' has an attribute 'circular'");
}

TEST(OnnxRefusals, AttributesOfAnotherKind) {
  ConvModel kind;
  test::set_float(*kind.conv, "group", 1);
  expect_refused(kind, kCorrupt, "'group' of another kind");

  ConvModel twice;
  test::set_int(*twice.conv, "group", 1);
  test::set_int(*twice.conv, "group", 1);
  expect_refused(twice, kCorrupt, "two attributes 'group'");
}

TEST(OnnxRefusals, ConvolutionsThatDoNotFit) {
  ConvModel channels({1, 2, 3, 3});
  expect_refused(channels, kCorrupt, "Conv 'y' does not fit its inputs");

  ConvModel kernel;
  test::set_ints(*kernel.conv, "kernel_shape", {5, 5});
  expect_refused(kernel, kCorrupt, "'kernel_shape'");

  ConvModel one_dimension({1, 1, 3});
  expect_refused(one_dimension, kCorrupt, "has weights f32[1,1,3]");

  ConvModel pads;
  test::set_ints(*pads.conv, "pads", {1, 1});
  expect_refused(pads, kUnsupportedOp, "2 values in 'pads'");

  ConvModel negative;
  test::set_ints(*negative.conv, "pads", {-1, 0, 0, 0});
  expect_refused(negative, kCorrupt, "value -1 in 'pads'");

  ConvModel zero_stride;
  test::set_ints(*zero_stride.conv, "strides", {0, 1});
  expect_refused(zero_stride, kCorrupt, "value 0 in 'strides'");

  ConvModel automatic;
  test::set_text(*automatic.conv, "auto_pad", "SOMETIMES");
  expect_refused(automatic, kCorrupt, "auto_pad");
}

TEST(OnnxRefusals, ValuesThatNobodyProduces) {
  OnnxModel later({-1, 2});
  later.add_node("Clip", {"b"}, "a");
  later.add_node("Clip", {"x"}, "b");
  later.add_output("a");
  expect_refused(later, kCorrupt, "'b' is used, but no node before produces it");

  OnnxModel twice({-1, 2});
  twice.add_node("Clip", {"x"}, "y");
  twice.add_node("Clip", {"x"}, "y");
  twice.add_output("y");
  expect_refused(twice, kCorrupt, "'y' is produced twice");

  OnnxModel shadow({-1, 2});
  shadow.add_floats("y", {1}, {1});
  shadow.add_node("Clip", {"x"}, "y");
  shadow.add_output("y");
  expect_refused(shadow, kCorrupt, "'y' is produced twice");

  OnnxModel output({-1, 2});
  output.add_node("Clip", {"x"}, "y");
  output.add_output("z");
  expect_refused(output, kCorrupt, "'z'");

  OnnxModel none({-1, 2});
  none.add_node("Clip", {"x"}, "y");
  expect_refused(none, kCorrupt, "no output");

  OnnxModel repeated({-1, 2});
  repeated.add_node("Clip", {"x"}, "y");
  repeated.add_output("y");
  repeated.add_output("y");
  expect_refused(repeated, kCorrupt, "output 'y' is there twice");
}

TEST(OnnxRefusals, NamesThatAreNone) {
  OnnxModel control({-1, 2});
  control.add_node("Clip", {"x"}, "a\nb");
  control.add_output("a\nb");
  expect_refused(control, kCorrupt, "has no usable name");

  for (const char* bytes : {"\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\xff"}) {
    OnnxModel text({-1, 2});
    // protobuf's own check is for text that it writes; the bytes of a file come as they are.
    text.add_node("Clip", {"x"}, bytes);
    text.add_output(bytes);
    expect_refused(text, kCorrupt, "has no usable name");
  }

  OnnxModel long_name({-1, 2});
  long_name.add_node("Clip", {"x"}, std::string(1'001, 'n'));
  long_name.add_output(std::string(1'001, 'n'));
  expect_refused(long_name, kCorrupt, "has no usable name");

  OnnxModel reserved({-1, 2});
  reserved.add_floats("__metadata__", {2}, {1, 2});
  reserved.add_node("Add", {"x", "__metadata__"}, "y");
  reserved.add_output("y");
  expect_refused(reserved, kUnsupportedFormat, "__metadata__");

  OnnxModel empty({-1, 2});
  empty.add_node("Clip", {"x"}, "");
  expect_refused(empty, kCorrupt, "outputs instead of one");
}

TEST(OnnxRefusals, TensorsThatAreNotWhatTheySay) {
  const auto with = [](auto change) {
    OnnxModel model({-1, 2});
    change(model.add_floats("c", {2}, {1, 2}));
    model.add_node("Add", {"x", "c"}, "y");
    model.add_output("y");
    return model;
  };
  using Tensor = onnx::TensorProto;

  expect_refused(with([](Tensor& t) { t.set_dims(0, 3); }), kCorrupt, "the file has 8");
  expect_refused(with([](Tensor& t) { t.set_dims(0, 1); }), kCorrupt, "the file has 8");
  expect_refused(with([](Tensor& t) { t.set_dims(0, -2); }), kCorrupt, "'c'");
  expect_refused(with([](Tensor& t) { t.set_dims(0, std::int64_t{1} << 61); }), kCorrupt, "'c'");
  expect_refused(with([](Tensor& t) {
                   for (int i = 0; i < 3; ++i) t.add_dims(std::int64_t{1} << 39);
                 }),
                 kCorrupt,
                 "'c'");
  expect_refused(with([](Tensor& t) {
                   for (int i = 0; i < 8; ++i) t.add_dims(1);
                 }),
                 ErrorCode::kModelLimit,
                 "9 dimensions");
  expect_refused(with([](Tensor& t) { t.set_data_type(11); }), kUnsupportedOp, "element type 11");
  expect_refused(
      with([](Tensor& t) { t.set_data_location(1); }), kUnsupportedFormat, "external data");
  expect_refused(with([](Tensor& t) {
                   t.set_data_type(10);
                   t.set_raw_data("1234");
                 }),
                 kUnsupportedOp,
                 "only float32 is supported");

  OnnxModel range({-1, 1});
  auto& q = range.add_tensor("q", 3, {1}, std::vector<std::int8_t>{});
  q.clear_raw_data();
  q.add_int32_data(128);
  range.add_floats("one", {}, {1});
  range.add_node("DequantizeLinear", {"q", "one"}, "d");
  range.add_node("Add", {"x", "d"}, "y");
  range.add_output("y");
  expect_refused(range, kCorrupt, "'q' has a value out of its type");

  OnnxModel twice({-1, 2});
  twice.add_floats("c", {2}, {1, 2});
  twice.add_floats("c", {2}, {1, 2});
  twice.add_node("Clip", {"x"}, "y");
  twice.add_output("y");
  expect_refused(twice, kCorrupt, "'c' is there twice");
}

TEST(OnnxRefusals, InputsThatAreNoTensorsOfKnownShape) {
  OnnxModel open({-1, 3, -1, 8});
  open.add_node("Clip", {"x"}, "y");
  open.add_output("y");
  expect_refused(open, kUnsupportedOp, "'x' has an open dimension 'N'");

  OnnxModel zero({-1, 0});
  zero.add_node("Clip", {"x"}, "y");
  zero.add_output("y");
  expect_refused(zero, kUnsupportedOp, "'x' has an open dimension");

  OnnxModel none({-1, 2});
  none.graph().clear_input();
  none.add_floats("x", {2}, {1, 2});
  none.add_node("Clip", {"x"}, "y");
  none.add_output("y");
  expect_refused(none, kUnsupportedOp, "'y' does not depend on any input");

  OnnxModel shapeless({-1, 2});
  shapeless.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  shapeless.add_node("Clip", {"x"}, "y");
  shapeless.add_output("y");
  expect_refused(shapeless, kUnsupportedOp, "'x' has no shape");
}

TEST(OnnxRefusals, FormsWithoutAnOperatorOfOurs) {
  const auto dense = [](auto change) {
    OnnxModel model({-1, 2});
    model.add_floats("w", {2, 2}, {1, 0, 0, 1});
    change(model.add_node("Gemm", {"x", "w"}, "y"));
    model.add_output("y");
    return model;
  };
  using Node = onnx::NodeProto;
  expect_refused(
      dense([](Node& n) { test::set_float(n, "alpha", 0.5F); }), kUnsupportedOp, "'alpha'");
  expect_refused(
      dense([](Node& n) { test::set_int(n, "transA", 1); }), kUnsupportedOp, "first operand");

  for (const std::int64_t axis : {0, 2, 3, -1}) {
    OnnxModel flatten({-1, 2, 2});
    test::set_int(flatten.add_node("Flatten", {"x"}, "y"), "axis", axis);
    flatten.add_output("y");
    expect_refused(flatten, kUnsupportedOp, "instead of 1");
  }

  OnnxModel column({-1, 1});
  column.add_floats("row", {1, 10}, std::vector<float>(10));
  column.add_node("Add", {"x", "row"}, "y");
  column.add_output("y");
  expect_refused(column, kUnsupportedOp, "over each other");

  OnnxModel rank({-1, 3, 2, 2});
  rank.add_floats("c", {1, 1, 1, 1, 1}, {1});
  rank.add_node("Add", {"x", "c"}, "y");
  rank.add_output("y");
  expect_refused(rank, kUnsupportedOp, "over each other");

  OnnxModel product({-1, 2});
  product.add_node("Gemm", {"x", "x"}, "y");
  product.add_output("y");
  expect_refused(product, kUnsupportedOp, "computes for every picture");

  OnnxModel softmax({-1, 2, 3, 3});
  test::set_int(softmax.add_node("Softmax", {"x"}, "y"), "axis", 2);
  softmax.add_output("y");
  expect_refused(softmax, kUnsupportedOp, "along axis 2");

  // Before operator set 13 that was a softmax over all of a picture.
  OnnxModel old({-1, 2, 3, 3}, 11);
  old.add_node("Softmax", {"x"}, "y");
  old.add_output("y");
  expect_refused(old, kUnsupportedOp, "along axis 1");

  OnnxModel spread({-1, 2, 3, 3});
  spread.add_input("b", {-1, 2, 1, 1});
  spread.add_node("Add", {"x", "b"}, "y");
  spread.add_output("y");
  expect_refused(spread, kUnsupportedOp, "over each other");

  OnnxModel clip({-1, 2});
  clip.add_input("lo", {1});
  clip.add_node("Clip", {"x", "lo"}, "y");
  clip.add_output("y");
  expect_refused(clip, kUnsupportedOp, "'min' that is no constant");

  OnnxModel blocks({-1, 4});
  blocks.add_floats("scale", {}, {1});
  test::set_int(blocks.add_node("QuantizeLinear", {"x", "scale"}, "q"), "block_size", 2);
  blocks.add_output("q");
  expect_refused(blocks, kUnsupportedOp, "'block_size'");
}

TEST(OnnxRefusals, MoreThanTheEngineReads) {
  OnnxModel nodes({-1, 2});
  for (int i = 0; i <= 100'000; ++i) nodes.graph().add_node();
  expect_refused(nodes, ErrorCode::kModelLimit, "100001 nodes, more than the 100000");

  OnnxModel ends({-1, 2});
  ends.add_node("Clip", {"x"}, "y");
  for (int i = 0; i <= 1'000; ++i) ends.add_output("y");
  expect_refused(ends, ErrorCode::kModelLimit, "inputs and outputs");

  // Every sum brings a constant along, so that the graph has more nodes than the file.
  OnnxModel sums({-1, 1});
  std::string last = "x";
  for (int i = 0; i < 50'001; ++i) {
    const std::string number = std::to_string(i);
    sums.add_floats("c" + number, {1}, {1});
    sums.add_node("Add", {last.c_str(), ("c" + number).c_str()}, "y" + number);
    last = "y" + number;
  }
  sums.add_output(last);
  expect_refused(sums, ErrorCode::kModelLimit, "nodes and weights");
}

TEST(OnnxRefusals, VersionsThatAreNotRead) {
  const auto with = [](auto change) {
    OnnxModel model({-1, 2});
    model.add_node("Clip", {"x"}, "y");
    model.add_output("y");
    change(model.model);
    return model;
  };
  using Model = onnx::ModelProto;

  expect_refused(with([](Model& m) { m.set_ir_version(99); }), kUnsupportedFormat, "IR version 99");
  expect_refused(with([](Model& m) { m.mutable_opset_import(0)->set_version(6); }),
                 kUnsupportedFormat,
                 "operator set 6; this build reads 7 to");
  expect_refused(with([](Model& m) { m.mutable_opset_import(0)->set_version(999); }),
                 kUnsupportedFormat,
                 "999");
  expect_refused(with([](Model& m) { m.clear_opset_import(); }), kCorrupt, "operator set");
  expect_refused(with([](Model& m) { m.clear_graph(); }), kCorrupt, "no graph");
  expect_refused(with([](Model& m) { m.mutable_graph()->add_sparse_initializer("x"); }),
                 kUnsupportedFormat,
                 "sparse");
}

}  // namespace
}  // namespace fovea
