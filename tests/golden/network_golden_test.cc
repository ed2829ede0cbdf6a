// LeNet-5 and ResNet50 through the whole engine, on photographs, against Keras.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/golden_networks.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::Outputs;

/// Logits within 1e-4 of their range, probabilities within 2e-6 + 1e-4 of the value.
void expect_golden(const std::vector<float>& logits,
                   const std::vector<float>& probabilities,
                   const std::map<std::string, test::GoldenTensor>& goldens,
                   const std::string& prefix) {
  const bool exact = goldens.count(prefix + "logits_f64") != 0;
  const std::string suffix = exact ? "_f64" : "";
  const auto& want_logits = goldens.at(prefix + "logits" + suffix).values;
  const auto& want = goldens.at(prefix + "probabilities" + suffix).values;
  ASSERT_EQ(logits.size(), want_logits.size());
  ASSERT_EQ(probabilities.size(), want.size());
  const auto [lowest, highest] = std::minmax_element(want_logits.begin(), want_logits.end());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_LE(std::abs(static_cast<double>(logits[i]) - want_logits[i]),
              1e-4 * (*highest - *lowest))
        << prefix << "logits, class " << i;
    ASSERT_LE(std::abs(static_cast<double>(probabilities[i]) - want[i]), 2e-6 + 1e-4 * want[i])
        << prefix << "probabilities, class " << i;
  }
}

using NetworkGolden = test::SharedDataTest;

TEST_F(NetworkGolden, LeNet5OnCpuAndReference) {
  const auto goldens = test::read_goldens(shared_ / "goldens" / "lenet" / "LeNet5.safetensors");
  const std::vector<float> digits = test::mnist_digits(shared_, 16);
  for (const std::string backend : {"cpu", "reference"}) {
    for (const std::uint64_t seed : {1U, 2U}) {
      const Outputs out =
          test::run_zoo("lenet5", seed, backend, 16, digits, {"output/pre_activation"});
      expect_golden(out.at("output/pre_activation"),
                    out.at("output"),
                    goldens,
                    "seed" + std::to_string(seed) + "/digits/");
    }
  }
}

TEST_F(NetworkGolden, LeNet5LayerByLayer) {
  const std::vector<float> digit = test::mnist_digits(shared_, 1);

  const Outputs out = test::run_zoo("lenet5", 1, "cpu", 1, digit, {"all"});

  test::expect_layers(test::read_layers(shared_ / "goldens" / "lenet" / "LeNet5.layers.tsv"), out);
}

TEST_F(NetworkGolden, ResNet50OnCpu) {
  const auto goldens = test::read_goldens(shared_ / "goldens" / "keras" / "ResNet50.safetensors");
  const auto photos = shared_ / "data" / "imagenet";
  const std::vector<std::pair<std::string, std::vector<float>>> pictures{
      {"elephant", test::caffe_picture(photos / "keras_elephant.jpg", 224)},
      {"banana", test::caffe_picture(photos / "n07753592_banana.JPEG", 224)},
      {"stinkhorn", test::caffe_picture(photos / "n13040303_stinkhorn.JPEG", 224)},
      {"formula", test::caffe_formula_picture(224)}};
  std::vector<float> batch;
  for (const auto& [name, pixels] : pictures)
    batch.insert(batch.end(), pixels.begin(), pixels.end());

  for (const std::uint64_t seed : {1U, 2U}) {
    const Outputs out =
        test::run_zoo("resnet50", seed, "cpu", 4, batch, {"predictions/pre_activation"});
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const auto row = [&](const std::string& name) {
        const auto begin = out.at(name).begin() + static_cast<std::ptrdiff_t>(i * 1000);
        return std::vector<float>(begin, begin + 1000);
      };
      expect_golden(row("predictions/pre_activation"),
                    row("predictions"),
                    goldens,
                    "seed" + std::to_string(seed) + "/" + pictures[i].first + "/");
    }
  }
}

TEST_F(NetworkGolden, ResNet50LayerByLayer) {
  const std::vector<float> elephant =
      test::caffe_picture(shared_ / "data" / "imagenet" / "keras_elephant.jpg", 224);

  const Outputs out = test::run_zoo("resnet50", 1, "cpu", 1, elephant, {"all"});

  test::expect_layers(test::read_layers(shared_ / "goldens" / "keras" / "ResNet50.layers.tsv"),
                      out);
}

TEST_F(NetworkGolden, APictureHasTheSameBitsAloneAndAnywhereInABatch) {
  constexpr std::size_t kBatch8 = 8;
  for (const std::string_view network : {"lenet5", "resnet50"}) {
    const bool lenet = network == "lenet5";
    const std::vector<float> picture =
        lenet ? test::mnist_digits(shared_, 1) : test::caffe_formula_picture(224);
    const std::string logits = lenet ? "output/pre_activation" : "predictions/pre_activation";
    const Outputs alone = test::run_zoo(network, 1, "cpu", 1, picture, {logits});
    std::vector<float> batch;
    for (std::size_t i = 0; i < kBatch8; ++i) {
      batch.insert(batch.end(), picture.begin(), picture.end());
    }

    const Outputs together = test::run_zoo(network, 1, "cpu", kBatch8, batch, {logits});

    const std::vector<float>& want = alone.at(logits);
    for (std::size_t i = 0; i < kBatch8; ++i) {
      const auto begin = together.at(logits).begin() + static_cast<std::ptrdiff_t>(i * want.size());
      const std::vector<float> got(begin, begin + static_cast<std::ptrdiff_t>(want.size()));
      EXPECT_EQ(got, want) << network << ", position " << i;
    }
  }
}

}  // namespace
}  // namespace fovea
