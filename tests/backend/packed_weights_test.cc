// 16-bit weights as the kernels read them.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "engine/backend/cuda/packed_constant.h"
#include "engine/graph/ops/cast.h"

namespace fovea::cuda {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kColumns = 1000;

Constant constant_of(const Shape& shape, const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {{DType::kFloat32, shape}, Buffer::from({bytes.begin(), bytes.end()})};
}

std::vector<float> widened(const std::vector<std::byte>& bytes, DType from) {
  const auto count = static_cast<std::int64_t>(bytes.size() / element_size(from));
  const TensorDesc narrow{from, {count}};
  const TensorDesc wide{DType::kFloat32, {count}};
  std::vector<float> values(static_cast<std::size_t>(count));
  const ConstTensorView source{&narrow, bytes.data()};
  const TensorView target{&wide, reinterpret_cast<std::byte*>(values.data())};
  Cast{DType::kFloat32}.evaluate({&source, 1}, {&target, 1});
  return values;
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
  const auto rounded =
      widened(weights_as(constant_of({kRows, 1, 1, kColumns}, values_), GetParam()), GetParam());
  ASSERT_EQ(rounded.size(), values_.size());
  for (std::size_t row = 0; row < kRows; ++row) {
    double sum = 0;
    for (std::size_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
      const double error = double{rounded[i]} - values_[i];
      EXPECT_LE(std::abs(error), 2 * half_unit(GetParam())) << i;
      EXPECT_TRUE(values_[i] != 0 || rounded[i] == 0) << i;
      sum += error;
    }
    EXPECT_LE(std::abs(sum), 1.01 * half_unit(GetParam())) << "row " << row;
  }
}

TEST_P(PackedWeights, ARowDoesNotKnowTheOthers) {
  const auto all = weights_as(constant_of({kRows, kColumns}, values_), GetParam());
  const std::vector<float> last(values_.end() - kColumns, values_.end());
  const auto alone = weights_as(constant_of({1, kColumns}, last), GetParam());
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.end() - std::ssize(alone)));
}

TEST_P(PackedWeights, NothingTakesAnInfinityOver) {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto rounded = widened(
      weights_as(constant_of({1, 4}, {infinity, 1, std::nanf(""), 2}), GetParam()), GetParam());
  EXPECT_EQ(rounded[0], infinity);
  EXPECT_EQ(rounded[1], 1);
  EXPECT_TRUE(std::isnan(rounded[2]));
  EXPECT_EQ(rounded[3], 2);
}

INSTANTIATE_TEST_SUITE_P(Types,
                         PackedWeights,
                         testing::Values(DType::kFloat16, DType::kBFloat16),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace fovea::cuda
