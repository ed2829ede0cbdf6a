// LeNet-5 and the networks of keras.applications through the whole engine, on photographs, against
// Keras.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <ostream>

#include <gtest/gtest.h>

#include "engine/backend/cpu/library.h"
#include "tests/support/golden_networks.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::Outputs;

void expect_golden(const std::vector<float>& logits,
                   const std::vector<float>& probabilities,
                   const std::map<std::string, test::GoldenTensor>& goldens,
                   const std::string& prefix) {
  SCOPED_TRACE(prefix);
  const bool exact = goldens.count(prefix + "logits_f64") != 0;
  const std::string suffix = exact ? "_f64" : "";
  test::expect_logits(logits, goldens.at(prefix + "logits" + suffix).values);
  test::expect_probabilities(probabilities, goldens.at(prefix + "probabilities" + suffix).values);
}

/// What Winograd may change: probabilities within 2e-3 of the value + 2e-6, and the order of the
/// five largest where they are further apart than that. Returns the largest relative difference of
/// those five.
double expect_nearly_golden(const std::vector<float>& probabilities,
                            const std::vector<double>& want,
                            const std::string& what) {
  EXPECT_EQ(probabilities.size(), want.size());
  const auto allowed = [](double value) { return 2e-6 + 2e-3 * value; };
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_LE(std::abs(probabilities.at(i) - want[i]), allowed(want[i])) << what << ", class " << i;
  }
  std::vector<std::size_t> order(want.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(
      order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return want[a] > want[b]; });
  double largest = 0;
  for (std::size_t rank = 0; rank < 5; ++rank) {
    const std::size_t here = order[rank];
    const std::size_t next = order[rank + 1];
    largest = std::max(largest, std::abs(probabilities[here] - want[here]) / want[here]);
    if (want[here] - want[next] > allowed(want[here]) + allowed(want[next])) {
      EXPECT_GT(probabilities[here], probabilities[next]) << what << ", rank " << rank;
    }
  }
  return largest;
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

struct Picture {
  std::string name;
  std::vector<float> pixels;
};

class KerasGolden : public test::SharedDataTest,
                    public testing::WithParamInterface<test::KerasNetwork> {
 protected:
  /// What the goldens were made from, the elephant first.
  [[nodiscard]] std::vector<Picture> pictures() const {
    const auto photo = [&](const char* file) {
      return test::photograph(
          shared_ / "data" / "imagenet" / file, GetParam().side, GetParam().mode);
    };
    return {{"elephant", photo("keras_elephant.jpg")},
            {"banana", photo("n07753592_banana.JPEG")},
            {"stinkhorn", photo("n13040303_stinkhorn.JPEG")},
            {"formula", test::formula(GetParam().side, GetParam().mode)}};
  }

  [[nodiscard]] std::filesystem::path golden(const char* extension) const {
    return shared_ / "goldens" / "keras" / (GetParam().golden + extension);
  }
};

/// All pictures as one batch.
std::vector<float> batch_of(const std::vector<Picture>& pictures) {
  std::vector<float> batch;
  for (const Picture& picture : pictures) {
    batch.insert(batch.end(), picture.pixels.begin(), picture.pixels.end());
  }
  return batch;
}

/// Row `index` of 1,000 classes.
std::vector<float> class_row(const std::vector<float>& values, std::size_t index) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(index * 1000);
  return {begin, begin + 1000};
}

/// With the fastest convolutions.
void expect_pictures_nearly(const Model& model,
                            const std::vector<Picture>& pictures,
                            const std::map<std::string, test::GoldenTensor>& goldens,
                            const std::string& prefix) {
  const auto count = static_cast<std::int64_t>(pictures.size());
  const Outputs out = test::run_model(model, "cpu", count, batch_of(pictures), {}, "auto");
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::string what = prefix + pictures[i].name + "/probabilities";
    const bool exact = goldens.count(what + "_f64") != 0;
    const auto& want = goldens.at(exact ? what + "_f64" : what).values;

    const double error = expect_nearly_golden(class_row(out.at("predictions"), i), want, what);

    testing::Test::RecordProperty(what + "_largest_relative_error", testing::PrintToString(error));
    std::printf("%s: the five first differ by at most %.1e of their value\n", what.c_str(), error);
  }
}

/// With convolutions by their definition.
void expect_pictures(const Model& model,
                     const std::vector<Picture>& pictures,
                     const std::map<std::string, test::GoldenTensor>& goldens,
                     const std::string& prefix) {
  const auto count = static_cast<std::int64_t>(pictures.size());
  const Outputs out =
      test::run_model(model, "cpu", count, batch_of(pictures), {"predictions/pre_activation"});
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    expect_golden(class_row(out.at("predictions/pre_activation"), i),
                  class_row(out.at("predictions"), i),
                  goldens,
                  prefix + pictures[i].name + "/");
  }
}

/// One test, for one set of weights: VGG's 140 million numbers take longer to make than to use.
TEST_P(KerasGolden, PicturesAndEveryLayerOnCpu) {
  const auto goldens = test::read_goldens(golden(".safetensors"));
  const auto rows = test::read_layers(golden(".layers.tsv"));
  ASSERT_EQ(rows.size(), GetParam().layers);
  const std::vector<Picture> all = pictures();

  for (const std::uint64_t seed : {1U, 2U}) {
    const Model model = test::open_random(GetParam().name, seed);
    expect_pictures(model, all, goldens, "seed" + std::to_string(seed) + "/");
    expect_pictures_nearly(model, all, goldens, "seed" + std::to_string(seed) + "/");
    if (seed == 1) {
      test::expect_layers(rows, test::run_model(model, "cpu", 1, all[0].pixels, {"all"}));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks,
                         KerasGolden,
                         testing::ValuesIn(test::keras_networks()),
                         testing::PrintToStringParamName());

struct Logits {
  std::string_view network;
  std::string value;
};

std::ostream& operator<<(std::ostream& stream, const Logits& logits) {
  return stream << logits.network;
}

class BatchIndependence : public test::SharedDataTest,
                          public testing::WithParamInterface<Logits> {};

TEST_P(BatchIndependence, APictureHasTheSameBitsAloneAndAnywhereInABatch) {
  if (!has_avx512()) GTEST_SKIP() << "oneDNN's products for AVX2 sum in an order for each batch";
  constexpr std::size_t kBatch8 = 8;
  const auto& [network, logits] = GetParam();
  const Model model = test::open_random(network, 1);
  const PreprocessSpec spec = model.preprocessing().value();
  const std::vector<float> picture = spec.color == ColorMode::kGrayscale
                                         ? test::mnist_digits(shared_, 1)
                                         : test::formula(spec.height, spec.mode);
  std::vector<float> batch;
  for (std::size_t i = 0; i < kBatch8; ++i) {
    batch.insert(batch.end(), picture.begin(), picture.end());
  }

  const Outputs alone = test::run_model(model, "cpu", 1, picture, {logits}, "auto");
  const Outputs together = test::run_model(model, "cpu", kBatch8, batch, {logits}, "auto");

  const std::vector<float>& want = alone.at(logits);
  for (std::size_t i = 0; i < kBatch8; ++i) {
    const auto begin = together.at(logits).begin() + static_cast<std::ptrdiff_t>(i * want.size());
    const std::vector<float> got(begin, begin + static_cast<std::ptrdiff_t>(want.size()));
    EXPECT_EQ(got, want) << network << ", position " << i;
  }
}

// AlexNet stands for VGG, whose dense layers are like its own and take ten times as long to make.
INSTANTIATE_TEST_SUITE_P(Networks,
                         BatchIndependence,
                         testing::Values(Logits{"lenet5", "output/pre_activation"},
                                         Logits{"resnet50", "predictions/pre_activation"},
                                         Logits{"inception_v3", "predictions/pre_activation"},
                                         Logits{"xception", "predictions/pre_activation"},
                                         Logits{"alexnet", "fc8"},
                                         Logits{"googlenet", "loss3_classifier"}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
