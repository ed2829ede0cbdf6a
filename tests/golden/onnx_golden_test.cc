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

class OnnxGolden : public test::SharedDataTest, public testing::WithParamInterface<GoldenRun> {
 protected:
  void SetUp() override {
    SharedDataTest::SetUp();
    if (!shared_.empty()) ::setenv("FOVEA_HOME", folder_.path().c_str(), 1);
  }

  /// The network's file, imported by the program fovea-import.
  [[nodiscard]] Model import(double head) const {
    const std::string name = GetParam().network;
    const auto file = folder_.path() / (name + ".onnx");
    const auto light = shared_ / "data" / "onnx-light" / ("light_" + name + ".onnx");
    test::write_filled_onnx(light, static_cast<std::uint64_t>(GetParam().seed), head, file);
    return open_model(file.native());
  }

  /// A picture of the goldens as these networks take it: 224 x 224, caffe mode, NCHW.
  [[nodiscard]] std::vector<float> picture(const std::string& name) const {
    const auto photographs = shared_ / "data" / "imagenet";
    constexpr std::size_t kSide = 224;
    const std::vector<float> pixels =
        name == "formula" ? test::formula(kSide, Normalization::kCaffe)
        : name == "elephant"
            ? test::photograph(photographs / "keras_elephant.jpg", kSide, Normalization::kCaffe)
            : test::photograph(photographs / "n07753592_banana.JPEG", kSide, Normalization::kCaffe);
    std::vector<float> planes(pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      planes[i % 3 * kSide * kSide + i / 3] = pixels[i];
    }
    return planes;
  }

 private:
  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

TEST_P(OnnxGolden, EqualsOnnxRuntime) {
  const GoldenRun& run = GetParam();
  const auto folder = shared_ / "goldens" / "onnx";
  const auto goldens = test::read_goldens(folder / (std::string(run.network) + ".safetensors"));
  nlohmann::json facts;
  std::ifstream(folder / (std::string(run.network) + ".json")) >> facts;
  std::vector<std::string> names{"elephant", "banana", "formula"};
  names.resize(run.pictures);
  std::vector<float> batch;
  for (const std::string& name : names) {
    const std::vector<float> planes = picture(name);
    batch.insert(batch.end(), planes.begin(), planes.end());
  }
  const std::string logits = facts.at("logits");
  const std::string output = facts.at("output");
  const bool has_softmax = facts.at("softmax");
  std::vector<std::string> taps;
  if (has_softmax) taps.push_back(logits);

  const test::Outputs out = test::run_model(
      import(facts.at("head")), run.backend, static_cast<std::int64_t>(run.pictures), batch, taps);

  for (std::size_t i = 0; i < names.size(); ++i) {
    SCOPED_TRACE(names[i]);
    constexpr std::size_t kClasses = 1000;
    const auto row = [&](const std::string& name) {
      const auto begin = out.at(name).begin() + static_cast<std::ptrdiff_t>(i * kClasses);
      return std::vector<float>(begin, begin + kClasses);
    };
    const std::string prefix = "seed" + std::to_string(run.seed) + "/" + names[i] + "/";
    test::expect_logits(row(logits), goldens.at(prefix + "logits").values);
    if (!has_softmax) continue;
    test::expect_probabilities(row(output), goldens.at(prefix + "probabilities").values);
  }
}

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
                         [](const auto& test) {
                           return std::string(test.param.network) + "_seed" +
                                  std::to_string(test.param.seed) + "_on_" + test.param.backend;
                         });

}  // namespace
}  // namespace fovea
