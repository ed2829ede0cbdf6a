// --weights FILE: files of every kind give a network the answers of its own weights, and what does
// not fit is refused without a trace in the cache.
#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/graph/ops/transpose.h"
#include "tests/cli/cli_test.h"
#include "tests/support/h5_file.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::digit;
using test::H5File;
using test::ProgramResult;

/// LeNet-5's own weights by name, and what to make of them.
class CliWeights : public test::CliTest {
 protected:
  static constexpr std::array<const char*, 5> kLayers{"c1", "c3", "c5", "f6", "output"};

  [[nodiscard]] Shape shape_of(const std::string& name) const { return own_.at(name).first.shape; }

  [[nodiscard]] std::vector<float> values_of(const std::string& name) const {
    const PinnedBytes bytes = own_.at(name).second->read();
    const auto* first = reinterpret_cast<const float*>(bytes.data());
    return {first, first + bytes.size() / sizeof(float)};
  }

  void add_layer(H5File& file, const std::string& layer, const std::string& group) const {
    std::vector<std::string> names;
    for (const char* parameter : {"kernel", "bias"}) {
      const std::string name = cat(layer, '/', parameter);
      const Shape shape = shape_of(name);
      file.add_floats(cat(group, '/', name), {shape.begin(), shape.end()}, values_of(name));
      names.push_back(name);
    }
    file.add_names(group, "weight_names", names);
  }

  /// A Keras file with these layers of LeNet-5, called by the names given, below `root`.
  void write_keras(const std::vector<std::pair<std::string, std::string>>& layers,
                   const std::string& root = "") const {
    H5File file(path("lenet.h5"));
    std::vector<std::string> names;
    for (const auto& [layer, name] : layers) {
      add_layer(file, layer, cat(root, '/', name));
      names.push_back(name);
    }
    file.add_group(root + "/flatten");
    file.add_names(root + "/flatten", "weight_names", {});
    names.insert(names.begin() + 1, "flatten");
    file.add_names(root.empty() ? "/" : root, "layer_names", names);
  }

  /// The values, seen as a tensor of that shape, with its dimensions in another order.
  [[nodiscard]] std::vector<float> reordered(const std::string& name,
                                             const Shape& shape,
                                             const std::vector<std::int64_t>& perm) const;

  /// An ONNX file with the same weights.
  [[nodiscard]] std::string onnx_file() const;

  [[nodiscard]] ProgramResult classify(const std::string& model,
                                       const std::vector<std::string>& weights) const {
    std::vector<std::string> arguments{"classify", model, digit(4), "--json", "--backend", "cpu"};
    if (!weights.empty()) arguments.emplace_back("--weights");
    arguments.insert(arguments.end(), weights.begin(), weights.end());
    return test::run_program(arguments, {.environment = {"FOVEA_HOME=" + path("home")}});
  }

  void expect_refused(const std::string& model,
                      const std::string& file,
                      const std::string& code,
                      const std::string& part) const {
    const ProgramResult got = classify(model, {path(file)});
    EXPECT_EQ(got.code, 3) << got.err;
    EXPECT_EQ(got.out, "");
    const std::string message = test::unwrapped(got.err);
    EXPECT_NE(message.find(code), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find(file), std::string::npos) << message;
  }

  /// Packages in the cache that are not whole, or whatever else lies there.
  [[nodiscard]] int strangers_in_cache() const {
    int strangers = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path("home") + "/packages", error)) {
      strangers += fs::exists(entry.path() / "manifest.xxh3") ? 0 : 1;
    }
    return strangers;
  }

  NamedTensors own_ =
      read_safetensors(fs::path(FOVEA_SOURCE_DIR) / "models" / "lenet5" / "weights.safetensors");
};

std::vector<float> CliWeights::reordered(const std::string& name,
                                         const Shape& shape,
                                         const std::vector<std::int64_t>& perm) const {
  const std::vector<float> values = values_of(name);
  const TensorDesc desc{DType::kFloat32, shape};
  const Transpose op{.perm = perm};
  const TensorDesc turned = op.infer({&desc, 1})[0];
  std::vector<float> result(values.size());
  const ConstTensorView x{&desc, std::as_bytes(std::span(values)).data()};
  const TensorView y{&turned, std::as_writable_bytes(std::span(result)).data()};
  op.evaluate({&x, 1}, {&y, 1});
  return result;
}

std::string CliWeights::onnx_file() const {
  test::OnnxModel model({-1, 1, 28, 28});
  model.add_floats("w0", {6, 1, 5, 5}, reordered("c1/kernel", {5, 5, 1, 6}, {3, 2, 0, 1}));
  model.add_floats("w1", {16, 6, 5, 5}, reordered("c3/kernel", {5, 5, 6, 16}, {3, 2, 0, 1}));
  // Channels first where the network flattens them last.
  model.add_floats("w2", {120, 400}, reordered("c5/kernel", {5, 5, 16, 120}, {3, 2, 0, 1}));
  model.add_floats("w3", {120, 84}, values_of("f6/kernel"));
  model.add_floats("w4", {84, 10}, values_of("output/kernel"));
  for (std::size_t k = 0; k < kLayers.size(); ++k) {
    const std::vector<float> bias = values_of(std::string(kLayers.at(k)) + "/bias");
    model.add_floats("b" + std::to_string(k), {static_cast<std::int64_t>(bias.size())}, bias);
  }
  // Strides in the place of pools: the file is asked for its weights, not for what it computes.
  onnx::NodeProto& c1 = model.add_node("Conv", {"x", "w0", "b0"}, "c1");
  test::set_ints(c1, "strides", {2, 2});
  test::set_ints(c1, "pads", {2, 2, 2, 2});
  test::set_ints(model.add_node("Conv", {"c1", "w1", "b1"}, "c3"), "strides", {2, 2});
  test::set_int(model.add_node("Flatten", {"c3"}, "flat"), "axis", 1);
  test::set_int(model.add_node("Gemm", {"flat", "w2", "b2"}, "c5"), "transB", 1);
  model.add_node("Gemm", {"c5", "w3", "b3"}, "f6");
  model.add_node("Gemm", {"f6", "w4", "b4"}, "y");
  model.add_output("y");
  return model.bytes();
}

TEST_F(CliWeights, GiveTheSameAnswersWhateverTheFileIs) {
  const ProgramResult own = classify("lenet5", {});
  ASSERT_EQ(own.code, 0) << own.err;
  EXPECT_EQ(classify("lenet5", {"imagenet"}).out, own.out) << "the name of a network's own weights";
  EXPECT_EQ(classify("lenet5", {"mnist"}).out, own.out);

  write_safetensors(path("named.safetensors"), own_);
  EXPECT_EQ(classify("lenet5", {path("named.safetensors")}).out, own.out);

  write_keras({{"c1", "conv2d"}, {"c3", "x"}, {"c5", "dense"}, {"f6", "dense_1"}, {"output", "o"}});
  const ProgramResult keras = classify("lenet5", {path("lenet.h5")});
  EXPECT_EQ(keras.out, own.out) << keras.err;
  EXPECT_EQ(keras.err, own.err) << "no warning";
  EXPECT_EQ(classify("lenet5", {path("lenet.h5")}).out, own.out) << "from the cache";

  write_file_atomic(path("lenet.onnx"), onnx_file());
  const ProgramResult onnx = classify("lenet5", {path("lenet.onnx")});
  EXPECT_EQ(onnx.out, own.out) << onnx.err;

  fs::copy_file(path("lenet.h5"), path("weights.onnx"));
  EXPECT_EQ(classify("lenet5", {path("weights.onnx")}).out, own.out) << "the content counts";
  EXPECT_EQ(strangers_in_cache(), 0);
}

TEST_F(CliWeights, AreTakenOutOfAWholeModelWithAWarning) {
  std::vector<std::pair<std::string, std::string>> layers;
  for (const char* name : kLayers) layers.emplace_back(name, name);
  write_keras(layers, "/model_weights");

  const ProgramResult got = classify("lenet5", {path("lenet.h5")});

  EXPECT_EQ(got.out, classify("lenet5", {}).out) << got.err;
  EXPECT_NE(got.err.find("holds a whole model, of which only the weights were read"),
            std::string::npos)
      << got.err;
}

TEST_F(CliWeights, OfAnotherNetworkAreRefused) {
  write_keras({{"c1", "c1"}, {"c3", "c3"}, {"c5", "c5"}, {"output", "output"}});
  expect_refused(
      "lenet5", "lenet.h5", "weights/shape-mismatch", "layer 4 of 5, 'output' of the file");

  write_keras({{"c3", "c3"}, {"c1", "c1"}, {"c5", "c5"}, {"f6", "f6"}, {"output", "output"}});
  expect_refused("lenet5",
                 "lenet.h5",
                 "weights/shape-mismatch",
                 "'c3/kernel' is f32[5,5,6,16], the model's 'c1/kernel' f32[5,5,1,6]");
  EXPECT_EQ(strangers_in_cache(), 0);
}

TEST_F(CliWeights, OfTheOlderResNet50AreRefused) {
  {
    H5File file(path("resnet50_old.h5"));
    std::vector<std::string> names{"conv1", "bn_conv1", "res2a_branch2a", "fc1000"};
    for (const std::string& name : names) {
      file.add_floats(name + "/w", {1}, {1});
      file.add_names(name, "weight_names", {"w"});
    }
    file.add_names("/", "layer_names", names);
  }

  expect_refused("resnet50",
                 "resnet50_old.h5",
                 "weights/shape-mismatch",
                 "use the newer file resnet50_weights_tf_dim_ordering_tf_kernels.h5 with the md5 "
                 "2cb95161c43110f7111970584f804107");
}

TEST_F(CliWeights, InFilesThatAreDamagedOrOfAnotherKindAreRefused) {
  write_keras({{"c1", "c1"}, {"c3", "c3"}, {"c5", "c5"}, {"f6", "f6"}, {"output", "output"}});
  const std::string whole = read_text_file(path("lenet.h5"));
  write_file_atomic(path("cut.h5"), std::string_view(whole).substr(0, whole.size() - 1));
  write_file_atomic(path("zip.h5"), std::string_view("PK\x03\x04 and more"));
  write_file_atomic(path("text.h5"), std::string_view("no weights"));

  expect_refused("lenet5", "cut.h5", "model/corrupt", "not whole");
  expect_refused("lenet5", "zip.h5", "model/unsupported-format", "it is no file of weights");
  expect_refused("lenet5", "text.h5", "model/unsupported-format", "it is no file of weights");
  expect_refused("lenet5", "absent.h5", "weights/missing", "there is no weights file");
  EXPECT_EQ(strangers_in_cache(), 0);

  const ProgramResult import =
      test::run_program({"import", path("lenet.h5"), "--output", path("package")},
                        {.environment = {"FOVEA_HOME=" + path("home")}});
  EXPECT_EQ(import.code, 3);
  EXPECT_NE(test::unwrapped(import.err).find("holds weights only (Keras .h5, 5 layers"),
            std::string::npos)
      << import.err;
  EXPECT_FALSE(fs::exists(path("package")));
}

}  // namespace
}  // namespace fovea
