// Classifiers of the ONNX model zoo, imported from complete files with random weights and run on
// photographs, against ONNX Runtime.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fovea/model.h>

#include "engine/core/file.h"
#include "tests/support/filled_onnx.h"
#include "tests/support/golden_networks.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

struct GoldenRun {
  const char* network;
  int seed;
  const char* backend;
  std::size_t pictures;  ///< of elephant, banana and formula, the first ones
};

/// Dimensions of pictures.
enum class Order : std::uint8_t { kNhwc, kNchw };

class OnnxGolden : public test::SharedDataTest, public testing::WithParamInterface<GoldenRun> {
 protected:
  static constexpr std::size_t kSide = 224;

  void SetUp() override {
    SharedDataTest::SetUp();
    if (!shared_.empty()) ::setenv("FOVEA_HOME", folder_.path().c_str(), 1);
  }

  /// What is known of the golden.
  [[nodiscard]] nlohmann::json facts() const {
    nlohmann::json facts;
    std::ifstream(shared_ / "goldens" / "onnx" / (std::string(GetParam().network) + ".json")) >>
        facts;
    return facts;
  }

  /// The network's complete file.
  [[nodiscard]] std::string file(double head) const {
    const std::string name = GetParam().network;
    const auto file = folder_.path() / (name + ".onnx");
    const auto light = shared_ / "data" / "onnx-light" / ("light_" + name + ".onnx");
    test::write_filled_onnx(light, static_cast<std::uint64_t>(GetParam().seed), head, file);
    return file.native();
  }

  /// A picture of the goldens: 224 x 224, caffe mode, NHWC.
  [[nodiscard]] std::vector<float> picture(const std::string& name) const {
    const auto photographs = shared_ / "data" / "imagenet";
    if (name == "formula") return test::formula(kSide, Normalization::kCaffe);
    const char* file = name == "elephant" ? "keras_elephant.jpg" : "n07753592_banana.JPEG";
    return test::photograph(photographs / file, kSide, Normalization::kCaffe);
  }

  /// Runs the model on the pictures and compares what it calls `logits` and `probabilities`; the
  /// latter is empty where it has none.
  void expect_golden(const Model& model,
                     Order order,
                     const std::string& logits,
                     const std::string& probabilities) const {
    const GoldenRun& run = GetParam();
    std::vector<std::string> names{"elephant", "banana", "formula"};
    names.resize(run.pictures);
    std::vector<float> batch;
    for (const std::string& name : names) {
      const std::vector<float> pixels = picture(name);
      const std::vector<float> values = order == Order::kNchw ? planes_of(pixels) : pixels;
      batch.insert(batch.end(), values.begin(), values.end());
    }
    std::vector<std::string> taps;
    if (!probabilities.empty()) taps.push_back(logits);

    const test::Outputs out =
        test::run_model(model, run.backend, static_cast<std::int64_t>(run.pictures), batch, taps);

    const auto goldens = test::read_goldens(shared_ / "goldens" / "onnx" /
                                            (std::string(run.network) + ".safetensors"));
    for (std::size_t i = 0; i < names.size(); ++i) {
      SCOPED_TRACE(names[i]);
      constexpr std::size_t kClasses = 1000;
      const auto row = [&](const std::string& name) {
        const auto begin = out.at(name).begin() + static_cast<std::ptrdiff_t>(i * kClasses);
        return std::vector<float>(begin, begin + kClasses);
      };
      const std::string prefix = "seed" + std::to_string(run.seed) + "/" + names[i] + "/";
      test::expect_logits(row(logits), goldens.at(prefix + "logits").values);
      if (probabilities.empty()) continue;
      test::expect_probabilities(row(probabilities), goldens.at(prefix + "probabilities").values);
    }
  }

 private:
  /// NHWC to NCHW.
  static std::vector<float> planes_of(const std::vector<float>& pixels) {
    std::vector<float> planes(pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      planes[i % 3 * kSide * kSide + i / 3] = pixels[i];
    }
    return planes;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

/// The file itself, imported by the program fovea-import.
TEST_P(OnnxGolden, EqualsOnnxRuntime) {
  const nlohmann::json known = facts();
  const Model model = open_model(file(known.at("head")));

  const std::string output = known.at("output");
  expect_golden(model, Order::kNchw, known.at("logits"), known.at("softmax") ? output : "");
}

/// The network of the zoo with the weights of the file.
using ZooWithOnnxWeights = OnnxGolden;

TEST_P(ZooWithOnnxWeights, EqualsOnnxRuntime) {
  const bool is_alexnet = GetParam().network == std::string("bvlc_alexnet");
  ModelOptions options;
  options.weights = file(facts().at("head"));
  const Model model = open_model(is_alexnet ? "alexnet" : "googlenet", options);

  expect_golden(model, Order::kNhwc, is_alexnet ? "fc8" : "loss3_classifier", "prob");
}

std::string name_of(const testing::TestParamInfo<GoldenRun>& test) {
  return std::string(test.param.network) + "_seed" + std::to_string(test.param.seed) + "_on_" +
         test.param.backend;
}

INSTANTIATE_TEST_SUITE_P(Zoo,
                         ZooWithOnnxWeights,
                         testing::Values(GoldenRun{"bvlc_alexnet", 1, "cpu", 3},
                                         GoldenRun{"inception_v1", 1, "cpu", 3},
                                         GoldenRun{"inception_v1", 2, "cpu", 3}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Networks,
                         OnnxGolden,
                         testing::Values(GoldenRun{"bvlc_alexnet", 1, "cpu", 3},
                                         GoldenRun{"bvlc_alexnet", 2, "cpu", 3},
                                         GoldenRun{"inception_v1", 1, "cpu", 3},
                                         GoldenRun{"inception_v1", 2, "cpu", 3},
                                         GoldenRun{"inception_v1", 1, "reference", 1},
                                         GoldenRun{"squeezenet", 1, "cpu", 3},
                                         GoldenRun{"squeezenet", 1, "reference", 1},
                                         GoldenRun{"shufflenet", 1, "cpu", 3},
                                         GoldenRun{"shufflenet", 1, "reference", 1},
                                         GoldenRun{"densenet121", 1, "cpu", 3},
                                         GoldenRun{"inception_v2", 1, "cpu", 3},
                                         GoldenRun{"resnet50", 1, "cpu", 3},
                                         GoldenRun{"zfnet512", 1, "cpu", 3},
                                         GoldenRun{"vgg19", 1, "cpu", 3}),
                         name_of);

}  // namespace
}  // namespace fovea
