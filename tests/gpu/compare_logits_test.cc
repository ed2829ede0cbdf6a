// What the self-test takes for a network's logits, shown on the oracles themselves.
#include "tests/gpu/compare_logits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "tests/gpu/oracles.h"

namespace fovea::selftest {
namespace {

using Logits = std::vector<float>;

constexpr std::array kNetworks{
    "alexnet", "googlenet", "inception_v3", "lenet5", "resnet50", "vgg16", "vgg19", "xception"};
constexpr std::array kPrecisions{
    Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16};

/// The largest errors that an H100 showed, as shares of the range
/// (docs/measurements/2026-11-27-gpu/h100-correctness.json).
double measured_error(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 1.6e-6;
    case Precision::kBf16:
      return 6.1e-3;
    default:
      return 6.6e-4;
  }
}

/// The rows of a batch: those of these pictures.
Logits rows_of(const Logits& oracle, const std::vector<std::size_t>& pictures) {
  const std::size_t classes = oracle.size() / 2;
  Logits rows;
  for (const std::size_t picture : pictures) {
    const auto first = oracle.begin() + static_cast<std::ptrdiff_t>(picture * classes);
    rows.insert(rows.end(), first, first + static_cast<std::ptrdiff_t>(classes));
  }
  return rows;
}

double range_of(const Logits& oracle) {
  const auto [least, most] = std::ranges::minmax(rows_of(oracle, {0}));
  return double{most} - least;
}

/// Moved by at most `share` of the range, everywhere.
Logits with_errors(Logits logits, double range, double share, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> error(-share * range, share * range);
  for (float& logit : logits) logit = static_cast<float>(logit + error(random));
  return logits;
}

std::string judged(const Logits& got, const Logits& want, Precision precision) {
  return judgement(compare_logits(got, want), precision);
}

/// Calls for every network in every precision.
template <typename Expect>
void for_all(const Expect& expect) {
  for (const char* network : kNetworks) {
    const Logits oracle = oracle_logits(network);
    ASSERT_FALSE(oracle.empty()) << network;
    for (const Precision precision : kPrecisions) {
      SCOPED_TRACE(cat(network, ' ', to_string(precision)));
      expect(oracle, precision);
    }
  }
}

TEST(CompareLogits, TakesTheOracleAndErrorsAsMeasured) {
  for_all([](const Logits& oracle, Precision precision) {
    EXPECT_EQ(judged(oracle, oracle, precision), "");
    for (unsigned seed = 0; seed < 20; ++seed) {
      const Logits got = with_errors(oracle, range_of(oracle), measured_error(precision), seed);
      EXPECT_EQ(judged(got, oracle, precision), "") << "seed " << seed;
    }
  });
}

TEST(CompareLogits, RefusesRowsOfAnotherPicture) {
  for_all([](const Logits& oracle, Precision precision) {
    for (const auto& pictures : {std::vector<std::size_t>{1, 0}, {0, 0}, {1, 1}}) {
      const Logits got = rows_of(oracle, pictures);
      EXPECT_NE(judged(got, oracle, precision), "") << pictures[0] << ' ' << pictures[1];
      for (unsigned seed = 0; seed < 20; ++seed) {
        const Logits near = with_errors(got, range_of(oracle), measured_error(precision), seed);
        EXPECT_NE(judged(near, oracle, precision), "")
            << pictures[0] << ' ' << pictures[1] << ", seed " << seed;
      }
    }
  });
}

TEST(CompareLogits, RefusesTheMeanOfBothPictures) {
  for_all([](const Logits& oracle, Precision precision) {
    Logits mean = oracle;
    const std::size_t classes = oracle.size() / 2;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      mean[i] = (oracle[i] + oracle[(i + classes) % oracle.size()]) / 2;
    }
    EXPECT_NE(judged(mean, oracle, precision), "");
  });
}

TEST(CompareLogits, RefusesOneLogitThatIsNoNumber) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    for_all([&](const Logits& oracle, Precision precision) {
      // About 50 places with the first and the last, and those of the best classes.
      const std::size_t classes = oracle.size() / 2;
      const auto first_row = rows_of(oracle, {0});
      const auto best =
          static_cast<std::size_t>(std::ranges::max_element(first_row) - first_row.begin());
      std::vector<std::size_t> places{best, classes - 1, oracle.size() - 1};
      for (std::size_t at = 0; at < oracle.size(); at += classes / 25 + 1) places.push_back(at);
      for (const std::size_t place : places) {
        Logits got = oracle;
        got[place] = bad;
        EXPECT_NE(judged(got, oracle, precision), "") << bad << " at " << place;
      }
    });
  }
}

TEST(CompareLogits, RefusesRowsOfOneNumber) {
  for_all([](const Logits& oracle, Precision precision) {
    EXPECT_NE(judged(Logits(oracle.size(), 0.0F), oracle, precision), "");
    EXPECT_NE(
        judged(Logits(oracle.size(), std::numeric_limits<float>::quiet_NaN()), oracle, precision),
        "");
  });
}

TEST(CompareLogits, LooksAtEveryRowOfABatch) {
  const Logits oracle = oracle_logits("xception");

  EXPECT_EQ(judged(rows_of(oracle, {0}), oracle, Precision::kBf16), "");
  EXPECT_EQ(judged(rows_of(oracle, {0, 1, 0, 1, 0}), oracle, Precision::kBf16), "");
  for (std::size_t wrong = 0; wrong < 5; ++wrong) {
    std::vector<std::size_t> pictures{0, 1, 0, 1, 0};
    pictures[wrong] = 1 - pictures[wrong];
    EXPECT_NE(judged(rows_of(oracle, pictures), oracle, Precision::kBf16), "") << wrong;
  }
}

TEST(CompareLogits, KeepsWhatIsNoNumberInAnEarlierRow) {
  const Logits oracle = oracle_logits("lenet5");
  Logits got = oracle;
  got[0] = std::numeric_limits<float>::quiet_NaN();

  const LogitsError error = compare_logits(got, oracle);

  EXPECT_TRUE(std::isnan(error.max_error));
  EXPECT_TRUE(std::isnan(error.cosine));
  EXPECT_TRUE(std::isnan(error.shift));
}

TEST(CompareLogits, SaysHowFarRowsAreOff) {
  const Logits oracle{0, 4, 0, 2};  // ranges 4 and 2

  const LogitsError error = compare_logits(Logits{0, 4, 0.5F, 2}, oracle);

  EXPECT_DOUBLE_EQ(error.max_error, 0.25);
  EXPECT_DOUBLE_EQ(error.cosine, 4 / std::sqrt(4.25 * 4));
  EXPECT_DOUBLE_EQ(error.shift, 0);
  EXPECT_TRUE(error.top1_equal);
  EXPECT_DOUBLE_EQ(compare_logits(Logits{0, 3, 0, 2}, oracle).shift, 0.5);
  EXPECT_DOUBLE_EQ(compare_logits(Logits{0, 5, 0, 2}, oracle).shift, 0.5);
}

TEST(CompareLogits, RefusesOtherSizes) {
  const Logits oracle = oracle_logits("lenet5");
  EXPECT_THROW((void)compare_logits(Logits(9), oracle), InvalidArgument);
  EXPECT_THROW((void)compare_logits(Logits(), oracle), InvalidArgument);
  EXPECT_THROW((void)compare_logits(Logits(3), Logits(3)), InvalidArgument);
  EXPECT_THROW((void)compare_logits(Logits(3), Logits()), InvalidArgument);
}

TEST(Judgement, HoldsEveryFigureToItsBound) {
  const auto is_held = [](const LogitsError& error, Precision precision) {
    return judgement(error, precision).empty();
  };
  for (const Precision precision : kPrecisions) {
    SCOPED_TRACE(to_string(precision));
    const bool fp32 = precision == Precision::kFp32;
    const bool bf16 = precision == Precision::kBf16;
    const double largest = fp32 ? 1e-4 : bf16 ? 1e-2 : 2e-3;
    const double cosine = bf16 ? 0.999 : 0.9999;
    const double shift = bf16 ? 0.25 : 0.05;
    const LogitsError at_bounds{
        .max_error = largest, .cosine = cosine, .shift = shift, .top1_equal = true};
    EXPECT_TRUE(is_held(at_bounds, precision));
    for (const auto& [member, beyond] : {std::pair{&LogitsError::max_error, 1.01 * largest},
                                         {&LogitsError::cosine, cosine - 1e-6},
                                         {&LogitsError::shift, 1.01 * shift}}) {
      LogitsError error = at_bounds;
      error.*member = beyond;
      EXPECT_FALSE(is_held(error, precision)) << beyond;
      error.*member = std::numeric_limits<double>::quiet_NaN();
      EXPECT_FALSE(is_held(error, precision)) << beyond;
    }
    LogitsError other_class = at_bounds;
    other_class.top1_equal = false;
    EXPECT_FALSE(is_held(other_class, precision));
  }
}

}  // namespace
}  // namespace fovea::selftest
