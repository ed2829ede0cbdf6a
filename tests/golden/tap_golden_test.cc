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

  /// All values for the input file x.safetensors.
  [[nodiscard]] test::Outputs taps(const std::string& network) const {
    run({"run",
         network,
         "--weights",
         "random:1",
         "--input",
         path("x.safetensors"),
         "--output",
         path("y.safetensors"),
         "--tap",
         "all",
         "--batch",
         "1",
         "--convolution",
         "direct"});
    test::Outputs values;
    for (const TensorData& tensor : read_tensors(path("y.safetensors"))) {
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
  write_tensors(path("x.safetensors"),
                {{"digit", {DType::kFloat32, {1, 28, 28, 1}}, {bytes.begin(), bytes.end()}}});

  test::expect_layers(test::read_layers(shared_ / "goldens" / "lenet" / "LeNet5.layers.tsv"),
                      taps("lenet5"));
}

class KerasTapGolden : public TapGolden, public testing::WithParamInterface<test::KerasNetwork> {};

TEST_P(KerasTapGolden, EveryLayer) {
  const test::KerasNetwork& network = GetParam();
  const std::string side = std::to_string(network.side);
  const auto elephant = shared_ / "data" / "imagenet" / "keras_elephant.jpg";
  run({"preprocess",
       elephant.string(),
       "--size",
       side + "x" + side,
       "--mode",
       std::string(to_string(network.mode)),
       "--output",
       path("x.safetensors")});

  const auto rows =
      test::read_layers(shared_ / "goldens" / "keras" / (network.golden + ".layers.tsv"));
  EXPECT_EQ(rows.size(), network.layers);
  test::expect_layers(rows, taps(std::string(network.name)));
}

INSTANTIATE_TEST_SUITE_P(Networks,
                         KerasTapGolden,
                         testing::ValuesIn(test::keras_networks()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
