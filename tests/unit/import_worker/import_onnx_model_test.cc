// What becomes of an ONNX model as a whole: its ends, its names, its weights.
#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/import_worker/onnx_testing.h"

namespace fovea {
namespace {

using test::Floats;
using test::OnnxModel;
using test::run_onnx;

TEST(ImportOnnx, GivesPicturesOutInTheFormatsOrder) {
  OnnxModel model({-1, 2, 1, 3});
  model.add_floats("w", {2, 2, 1, 1}, {0, 1, 1, 0});
  model.add_node("Conv", {"x", "w"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2, 3, 4, 5, 6}), (Floats{4, 5, 6, 1, 2, 3}));
  const Package package = model.import();
  EXPECT_EQ(package.graph.outputs()[0].name, "y");
  EXPECT_EQ(package.graph.desc(package.graph.outputs()[0].value).shape, (Shape{kBatch, 2, 1, 3}));
}

TEST(ImportOnnx, ReadsValuesThatAreListedOneByOne) {
  OnnxModel model({-1, 3});
  auto& addend = model.add_floats("c", {3}, {});
  addend.clear_raw_data();
  for (const float value : {1.5F, -2.0F, 4.0F}) addend.add_float_data(value);
  auto& q = model.add_tensor("q", 3, {3}, std::vector<std::int8_t>{});
  q.clear_raw_data();
  for (const std::int32_t value : {-128, 0, 127}) q.add_int32_data(value);
  model.add_floats("one", {}, {1});
  model.add_node("DequantizeLinear", {"q", "one"}, "d");
  model.add_node("Add", {"x", "c"}, "sum");
  model.add_node("Add", {"sum", "d"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {0, 0, 0}), (Floats{-126.5F, -2, 131}));
}

TEST(ImportOnnx, OpensTheBatchAndSaysSo) {
  OnnxModel model({4, 3, 2, 2});
  model.add_node("GlobalAveragePool", {"x"}, "mean");
  model.add_node("Flatten", {"mean"}, "flat");
  model.add_node("Softmax", {"flat"}, "y");
  model.add_output("y");
  model.model.set_producer_name("a test");

  const Package package = model.import();

  EXPECT_EQ(package.graph.node(package.graph.inputs()[0]).outputs[0].shape,
            (Shape{kBatch, 3, 2, 2}));
  const Manifest& manifest = package.manifest;
  ASSERT_EQ(manifest.notes.size(), 2U);
  EXPECT_EQ(manifest.notes[0], "3 nodes converted: 1 Flatten, 1 GlobalAveragePool, 1 Softmax");
  EXPECT_EQ(manifest.notes[1], "the input 'x' is declared for 4 at a time; any batch is taken");
  EXPECT_EQ(manifest.input, "x");
  EXPECT_EQ(manifest.input_layout, InputLayout::kNchw);
  EXPECT_EQ(manifest.outputs, (std::vector<ManifestOutput>{{"y", OutputKind::kProbabilities}}));
  EXPECT_FALSE(manifest.logits);
  EXPECT_FALSE(manifest.preprocess.has_value());
  EXPECT_NE(manifest.description.find("operator set 17, written by a test"), std::string::npos);
}

TEST(ImportOnnx, TellsScoresFromProbabilities) {
  const auto kind = [](std::initializer_list<const char*> operators) {
    OnnxModel model({-1, 2});
    model.add_floats("w", {2, 2}, {1, 0, 0, 1});
    model.add_floats("grid", {}, {0.01F});
    std::string last = "x";
    for (const char* op : operators) {
      const std::string output = last + op;
      if (std::string(op) == "Gemm") {
        model.add_node(op, {last.c_str(), "w"}, output);
      } else if (std::string(op).ends_with("Linear")) {
        model.add_node(op, {last.c_str(), "grid"}, output);
      } else {
        model.add_node(op, {last.c_str()}, output);
      }
      last = output;
    }
    model.add_output(last);
    const Manifest manifest = model.import().manifest;
    EXPECT_EQ(manifest.logits, manifest.outputs[0].kind == OutputKind::kLogits);
    return manifest.outputs[0].kind;
  };

  EXPECT_EQ(kind({"Gemm"}), OutputKind::kLogits);
  EXPECT_EQ(kind({"Softmax", "Gemm"}), OutputKind::kLogits);
  EXPECT_EQ(kind({"Gemm", "Flatten"}), OutputKind::kLogits);
  EXPECT_EQ(kind({"Gemm", "Softmax"}), OutputKind::kProbabilities);
  EXPECT_EQ(kind({"Softmax", "Flatten"}), OutputKind::kProbabilities);
  EXPECT_EQ(kind({"Softmax", "Clip"}), OutputKind::kProbabilities);
  EXPECT_EQ(kind({"Softmax", "QuantizeLinear", "DequantizeLinear"}), OutputKind::kProbabilities);
}

TEST(ImportOnnx, OpensOnlyWhatIsABatch) {
  const auto first = [](const std::vector<std::int64_t>& dims) {
    OnnxModel model(dims);
    model.add_node("Clip", {"x"}, "y");
    model.add_output("y");
    const Package package = model.import();
    return package.graph.node(package.graph.inputs()[0]).outputs[0].shape[0];
  };

  EXPECT_EQ(first({1, 3, 2, 2}), kBatch);
  EXPECT_EQ(first({-1, 7}), kBatch);
  EXPECT_EQ(first({0, 7}), kBatch) << "some exporters write 0 for what is open";
  EXPECT_EQ(first({3, 224, 224}), 3) << "a picture without a batch";
  EXPECT_EQ(first({1, 120}), 1);
}

TEST(ImportOnnx, SharesAWeightThatSeveralUse) {
  OnnxModel model({-1, 2});
  model.add_floats("w", {2, 2}, {0, 1, 2, 0});
  model.add_node("Gemm", {"x", "w"}, "a");
  model.add_node("Gemm", {"a", "w"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2}), (Floats{2, 4}));
  const Graph graph = model.import().graph;
  EXPECT_EQ(graph.size(), 4) << to_dot(graph);
}

TEST(ImportOnnx, CopesWithNamesOfAnyLength) {
  const std::string name(999, 'w');
  OnnxModel model({-1, 2});
  model.add_floats(name, {2, 2}, {1, 2, 3, 4});
  model.add_node("Gemm", {"x", name.c_str()}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 10}), (Floats{31, 42}));
}

TEST(ImportOnnx, KeepsItsOwnNamesFree) {
  // The file has a value of the name that the turned picture would get.
  OnnxModel model({-1, 1, 1, 2});
  model.add_floats("w", {1, 1, 1, 1}, {2});
  model.add_node("Conv", {"x", "w"}, "twice");
  model.add_node("Clip", {"twice"}, "x/nhwc");
  model.add_node("Add", {"x", "x/nhwc"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2}), (Floats{3, 6}));
}

TEST(ImportOnnx, LeavesOutWhatNothingUses) {
  OnnxModel model({-1, 2});
  model.add_floats("unused", {2}, {1, 2});
  model.add_floats("c", {2}, {1, 2});
  model.add_node("Add", {"x", "c"}, "y");
  model.add_node("Clip", {"x"}, "nobody");
  model.add_output("y");

  EXPECT_EQ(model.import().graph.size(), 3);
}

}  // namespace
}  // namespace fovea
