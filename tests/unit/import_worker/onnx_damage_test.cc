// Damaged ONNX files: every one ends in a package or in an error of a known kind.
#include <random>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/graph/graph_io.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

/// A small file with every operator that the importer has.
std::string whole_model() {
  test::OnnxModel model({-1, 2, 4, 4});
  model.add_tensor("q", 3, {2, 2, 3, 3}, std::vector<std::int8_t>(36, 3));
  model.add_floats("scale", {2}, {0.5F, 0.25F});
  model.add_tensor("zero", 3, {2}, std::vector<std::int8_t>{0, 1});
  model.add_floats("bias", {2}, {1, 2});
  model.add_floats("lo", {}, {0});
  model.add_floats("hi", {}, {6});
  model.add_floats("grid", {}, {0.1F});
  model.add_tensor("middle", 2, {}, std::vector<std::uint8_t>{128});
  model.add_floats("dense", {3, 2}, {1, 2, 3, 4, 5, 6});
  test::set_int(model.add_node("DequantizeLinear", {"q", "scale", "zero"}, "w"), "axis", 0);
  test::set_ints(model.add_node("Conv", {"x", "w", "bias"}, "a"), "pads", {1, 1, 1, 1});
  model.add_node("Clip", {"a", "lo", "hi"}, "b");
  model.add_node("Add", {"b", "x"}, "c");
  model.add_node("QuantizeLinear", {"c", "grid", "middle"}, "d");
  model.add_node("DequantizeLinear", {"d", "grid", "middle"}, "e");
  model.add_node("GlobalAveragePool", {"e"}, "f");
  test::set_int(model.add_node("Flatten", {"f"}, "g"), "axis", 1);
  test::set_int(model.add_node("Gemm", {"g", "dense"}, "h"), "transB", 1);
  test::set_int(model.add_node("Softmax", {"h"}, "y"), "axis", 1);
  model.add_output("y");
  return model.bytes();
}

class OnnxDamage : public testing::Test {
 protected:
  /// Whether the file still gives a package; anything but a typed error fails the test.
  static bool imports(const std::string& bytes) {
    try {
      const Package package = onnx::import_onnx(std::as_bytes(std::span(bytes)));
      // What was taken can be written and read again.
      const std::string json = graph_json(package.graph);
      (void)parse_graph(json, constant_tensors(package.graph));
      (void)parse_manifest(to_json(package.manifest), "manifest.json");
      return true;
    } catch (const Error& error) {
      const std::string_view code = to_string(error.code());
      EXPECT_TRUE(code.starts_with("model/")) << code << ": " << error.what();
      return false;
    }
  }

  const std::string whole_ = whole_model();
};

TEST_F(OnnxDamage, TheWholeFileIsFine) {
  EXPECT_TRUE(imports(whole_));
}

TEST_F(OnnxDamage, CutAnywhere) {
  int fine = 0;
  for (std::size_t size = 0; size < whole_.size(); ++size) {
    fine += imports(whole_.substr(0, size)) ? 1 : 0;
  }
  // The operator set stands last; without the graph's tail nothing is left that could pass.
  EXPECT_LE(fine, 1);
}

TEST_F(OnnxDamage, AnyBitFlipped) {
  for (std::size_t bit = 0; bit < 8 * whole_.size(); ++bit) {
    std::string bytes = whole_;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    (void)imports(bytes);
  }
}

TEST_F(OnnxDamage, SomeBytesReplaced) {
  std::minstd_rand random(1);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = whole_;
    for (unsigned n = 1 + random() % 8; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    (void)imports(bytes);
  }
}

}  // namespace
}  // namespace fovea
