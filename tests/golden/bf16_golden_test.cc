// Whole networks in bf16 on the CPU against float32, on photographs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include <gtest/gtest.h>

#include "engine/backend/cpu/library.h"
#include "tests/support/golden_networks.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::Outputs;

struct Network {
  std::string_view name;
  std::string logits;  ///< the value before the softmax
};

std::ostream& operator<<(std::ostream& stream, const Network& network) {
  return stream << network.name;
}

/// The networks of the zoo. VGG's weights take half a minute to make without optimisation: AlexNet
/// stands for it there.
std::vector<Network> networks() {
  std::vector<Network> all{{"lenet5", "output/pre_activation"},
                           {"alexnet", "fc8"},
                           {"googlenet", "loss3_classifier"},
                           {"resnet50", "predictions/pre_activation"},
                           {"inception_v3", "predictions/pre_activation"},
                           {"xception", "predictions/pre_activation"}};
#ifdef NDEBUG
  all.push_back({"vgg16", "predictions/pre_activation"});
  all.push_back({"vgg19", "predictions/pre_activation"});
#endif
  return all;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// The cosine of the angle between them.
double cosine(std::span<const float> a, std::span<const float> b) {
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

class Bf16Golden : public test::SharedDataTest, public testing::WithParamInterface<Network> {
 protected:
  void SetUp() override {
    if (bf16_support() == Bf16Support::kNone) GTEST_SKIP() << "this processor has no bf16";
    SharedDataTest::SetUp();
  }

  /// Some pictures as one batch, and how many.
  [[nodiscard]] std::pair<std::vector<float>, std::int64_t> pictures(const Model& model) const {
    const PreprocessSpec spec = model.preprocessing().value();
    if (spec.color == ColorMode::kGrayscale) return {test::mnist_digits(shared_, 16), 16};
    std::vector<float> batch;
    for (const char* file : {"keras_elephant.jpg", "n07753592_banana.JPEG"}) {
      const auto photo =
          test::photograph(shared_ / "data" / "imagenet" / file, spec.height, spec.mode);
      batch.insert(batch.end(), photo.begin(), photo.end());
    }
    return {batch, 2};
  }
};

/// Every score of a picture moves by at most what eight bits allow, and the best one stays the best
/// where it is further ahead than that.
TEST_P(Bf16Golden, ScoresAreThoseOfFloat32) {
  const auto& [name, logits] = GetParam();
  const Model model = test::open_random(name, 1);
  const auto [batch, count] = pictures(model);

  const Outputs single = test::run_model(model, "cpu", count, batch, {logits});
  const Outputs half =
      test::run_model(model, "cpu", count, batch, {logits}, "direct", Precision::kBf16);

  const std::span<const float> all = single.at(logits);
  const std::size_t classes = all.size() / static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const auto want = all.subspan(i * classes, classes);
    const auto got = std::span(half.at(logits)).subspan(i * classes, classes);
    double error = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      error = std::max(error, std::abs(static_cast<double>(got[c]) - want[c]));
    }
    const auto best = std::ranges::max_element(want) - want.begin();
    std::vector<float> ranked(want.begin(), want.end());
    std::ranges::sort(ranked, std::greater<>());
    const double margin = static_cast<double>(ranked[0]) - ranked[1];
    std::printf("%s, picture %zu: cosine 1 - %.1e, largest error %.3g, margin %.3g\n",
                std::string(name).c_str(),
                i,
                1 - cosine(want, got),
                error,
                margin);
    EXPECT_GE(cosine(want, got), 0.999) << name << ", picture " << i;
    EXPECT_GT(error, 0.0) << "nothing was computed in bf16";
    if (margin > 2 * error) {
      EXPECT_EQ(std::ranges::max_element(got) - got.begin(), best) << name << ", picture " << i;
    }
  }
}

TEST_P(Bf16Golden, APictureHasTheSameBitsAloneAndAnywhereInABatch) {
  const auto& [name, logits] = GetParam();
  const Model model = test::open_random(name, 1);
  const auto [two, count] = pictures(model);
  const std::size_t size = two.size() / static_cast<std::size_t>(count);
  const std::vector<float> picture(two.begin(), two.begin() + static_cast<std::ptrdiff_t>(size));
  std::vector<float> eight;
  for (int i = 0; i < 8; ++i) eight.insert(eight.end(), picture.begin(), picture.end());
  const auto run = [&, &value = logits](std::int64_t n, const std::vector<float>& pixels) {
    return test::run_model(model, "cpu", n, pixels, {value}, "auto", Precision::kBf16).at(value);
  };

  const std::vector<float> alone = run(1, picture);
  const std::vector<float> together = run(8, eight);

  for (std::size_t i = 0; i < 8; ++i) {
    const auto begin = together.begin() + static_cast<std::ptrdiff_t>(i * alone.size());
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), begin)) << name << ", position " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks,
                         Bf16Golden,
                         testing::ValuesIn(networks()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
