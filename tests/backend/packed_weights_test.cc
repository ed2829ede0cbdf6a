// 16-bit weights as the kernels read them.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "engine/backend/cuda/convolution_tactic.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea::cuda {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kColumns = 1000;

/// The weights as they are packed, widened again.
std::vector<float> rounded(const Shape& shape, const std::vector<float>& values, DType dtype) {
  const std::vector<std::byte> bytes = weights_as(make_constant(shape, values), dtype);
  const TensorDesc desc{dtype, shape};
  return test::to_floats({&desc, bytes.data()});
}

/// Half a unit in the last place of numbers up to 1.
double half_unit(DType dtype) {
  return dtype == DType::kFloat16 ? 0x1p-12 : 0x1p-9;
}

class PackedWeights : public testing::TestWithParam<DType> {
 protected:
  PackedWeights() {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-0.99F, 0.99F);
    for (std::size_t i = 0; i < static_cast<std::size_t>(kRows * kColumns); ++i) {
      values_.push_back(i % 7 == 0 ? 0 : uniform(random));
    }
  }

  std::vector<float> values_;
};

TEST_P(PackedWeights, ErrorsOfARowAddUpToLessThanOneOfThem) {
  const auto packed = rounded({kRows, 1, 1, kColumns}, values_, GetParam());
  ASSERT_EQ(packed.size(), values_.size());
  for (std::size_t row = 0; row < kRows; ++row) {
    double sum = 0;
    for (std::size_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
      const double error = double{packed[i]} - values_[i];
      EXPECT_LE(std::abs(error), 2 * half_unit(GetParam())) << i;
      EXPECT_TRUE(values_[i] != 0 || packed[i] == 0) << i;
      sum += error;
    }
    EXPECT_LE(std::abs(sum), 1.01 * half_unit(GetParam())) << "row " << row;
  }
}

TEST_P(PackedWeights, ARowDoesNotKnowTheOthers) {
  const auto all = weights_as(make_constant({kRows, kColumns}, values_), GetParam());
  const std::vector<float> last(values_.end() - kColumns, values_.end());
  const auto alone = weights_as(make_constant({1, kColumns}, last), GetParam());
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.end() - std::ssize(alone)));
}

TEST_P(PackedWeights, NothingTakesAnInfinityOver) {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto packed = rounded({1, 4}, {infinity, 1, std::nanf(""), 2}, GetParam());
  EXPECT_EQ(packed[0], infinity);
  EXPECT_EQ(packed[1], 1);
  EXPECT_TRUE(std::isnan(packed[2]));
  EXPECT_EQ(packed[3], 2);
}

/// A plan file may have weights that were rounded each to nearest, under what was their key.
TEST_P(PackedWeights, ThoseOfAPlanFileThatWereRoundedOtherwiseAreNotTaken) {
  const auto backend = make_cuda_emu_backend();
  const Constant filters = make_constant({kRows, 1, 1, kColumns}, values_);
  const Constant taps = make_constant({kRows * kColumns, 1, 1, 1}, values_);
  const std::string type(to_string(GetParam()));
  const std::vector<std::byte> other(values_.size() * sizeof(std::uint16_t));
  const auto known = std::make_shared<fovea::PackedWeights>();
  known->by_key = {{cat(filters.key(), " f32 rows of ", type), other},
                   {cat(filters.key(), " dense ", type), other},
                   {cat(taps.key(), " depthwise ", type), other}};
  WeightStore store(*backend, known);
  const auto is_packed = [&](const Constant& weights, const std::shared_ptr<const std::byte>& at) {
    const std::vector<std::byte> want = weights_as(weights, GetParam());
    return std::equal(want.begin(), want.end(), at.get());
  };

  EXPECT_TRUE(is_packed(filters, pack_filters(filters, GetParam(), store)));
  EXPECT_TRUE(is_packed(filters, packed_weights(filters, GetParam(), store)));
  EXPECT_TRUE(is_packed(taps, pack_taps(taps, GetParam(), store)));
}

INSTANTIATE_TEST_SUITE_P(Types,
                         PackedWeights,
                         testing::Values(DType::kFloat16, DType::kBFloat16),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace fovea::cuda
