// Every value inside LeNet-5 and the networks of keras.applications against Keras, the way a user
// gets them: fovea preprocess, fovea run --tap all, tensors in files.
#include <cstring>

#include <gtest/gtest.h>

#include <fovea/tensors.h>

#include "engine/core/file.h"
#include "tests/support/golden_networks.h"
#include "tests/support/program.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

class TapGolden : public test::SharedDataTest {
 protected:
  [[nodiscard]] std::string path(const char* name) const {
    return (folder_.path() / name).string();
  }

  static void run(const std::vector<std::string>& arguments) {
    const auto result = test::run_program(arguments, {.limit = std::chrono::seconds(200)});
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, "");
  }

  /// All values for the input file x.
  [[nodiscard]] test::Outputs taps(const std::string& network) const {
    run({"run",
         network,
         "--weights",
         "random:1",
         "--input",
         path("x"),
         "--output",
         path("y"),
         "--tap",
         "all",
         "--batch",
         "1",
         "--convolution",
         "direct"});
    test::Outputs values;
    for (const TensorData& tensor : read_tensors(path("y"))) {
      if (tensor.desc.dtype != DType::kFloat32) continue;
      std::vector<float>& floats = values[tensor.name];
      floats.resize(tensor.bytes.size() / sizeof(float));
      std::memcpy(floats.data(), tensor.bytes.data(), tensor.bytes.size());
    }
    return values;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

TEST_F(TapGolden, LeNet5) {
  const std::vector<float> digit = test::mnist_digits(shared_, 1);
  const auto bytes = std::as_bytes(std::span(digit));
  write_tensors(path("x"),
                {{"digit", {DType::kFloat32, {1, 28, 28, 1}}, {bytes.begin(), bytes.end()}}});

  test::expect_layers(test::read_layers(shared_ / "goldens" / "lenet" / "LeNet5.layers.tsv"),
                      taps("lenet5"));
}

struct KerasNetwork {
  std::string name;
  std::string golden;
  std::string size;
  std::string mode;
  std::size_t layers;
};

class KerasTapGolden : public TapGolden, public testing::WithParamInterface<KerasNetwork> {};

TEST_P(KerasTapGolden, EveryLayer) {
  const KerasNetwork& network = GetParam();
  const auto elephant = shared_ / "data" / "imagenet" / "keras_elephant.jpg";
  run({"preprocess",
       elephant.string(),
       "--size",
       network.size,
       "--mode",
       network.mode,
       "--output",
       path("x")});

  const auto rows =
      test::read_layers(shared_ / "goldens" / "keras" / (network.golden + ".layers.tsv"));
  EXPECT_EQ(rows.size(), network.layers);
  test::expect_layers(rows, taps(network.name));
}

INSTANTIATE_TEST_SUITE_P(
    Networks,
    KerasTapGolden,
    testing::Values(KerasNetwork{"vgg16", "VGG16", "224x224", "caffe", 23},
                    KerasNetwork{"vgg19", "VGG19", "224x224", "caffe", 26},
                    KerasNetwork{"resnet50", "ResNet50", "224x224", "caffe", 177},
                    KerasNetwork{"inception_v3", "InceptionV3", "299x299", "tf", 313},
                    KerasNetwork{"xception", "Xception", "299x299", "tf", 134}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea
