#include "engine/graph/ops/cast.h"

#include <bit>
#include <cmath>
#include <limits>

#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run;
using test::Tensor;
using test::tensor;
using test::unknown;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Bits = std::vector<std::uint16_t>;

Bits to_half(const std::vector<float>& values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return run(Cast{.to = DType::kFloat16}, {floats({size}, values)})[0].values<std::uint16_t>();
}

Bits to_bfloat(const std::vector<float>& values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return run(Cast{.to = DType::kBFloat16}, {floats({size}, values)})[0].values<std::uint16_t>();
}

template <typename To>
std::vector<To> to_integers(const Tensor& x, DType dtype) {
  return run(Cast{.to = dtype}, {x})[0].values<To>();
}

/// The definition of binary16 in IEEE 754.
float half_value(unsigned bits) {
  const int exponent = static_cast<int>(bits >> 10U & 31U);
  const float fraction = static_cast<float>(bits & 1023U) / 1024.0F;
  const float magnitude = exponent == 0    ? std::ldexp(fraction, -14)
                          : exponent != 31 ? std::ldexp(1.0F + fraction, exponent - 15)
                          : fraction == 0  ? kInf
                                           : kNan;
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

/// bfloat16 is the upper half of a float32.
float bfloat_value(unsigned bits) {
  return std::bit_cast<float>(bits << 16U);
}

TEST(Cast, WidensEveryPattern) {
  Bits patterns(65536);
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<std::uint16_t>(i);

  const auto halves = run(Cast{}, {tensor(DType::kFloat16, {65536}, patterns)})[0].floats();
  const auto bfloats = run(Cast{}, {tensor(DType::kBFloat16, {65536}, patterns)})[0].floats();

  for (unsigned i = 0; i < 65536; ++i) {
    const float half = half_value(i);
    const float bfloat = bfloat_value(i);
    ASSERT_TRUE(halves[i] == half || (std::isnan(half) && std::isnan(halves[i]))) << i;
    ASSERT_TRUE(bfloats[i] == bfloat || (std::isnan(bfloat) && std::isnan(bfloats[i]))) << i;
    ASSERT_EQ(std::signbit(halves[i]), (i & 0x8000U) != 0) << i;
    ASSERT_EQ(std::signbit(bfloats[i]), (i & 0x8000U) != 0) << i;
  }
}

/// For every two neighbours: each itself, the tie between them, and the floats beside the tie.
void expect_rounds_to_nearest_even(Bits (*narrow)(const std::vector<float>&),
                                   float (*value)(unsigned),
                                   unsigned infinity) {
  std::vector<float> values;
  Bits expected;
  for (unsigned i = 0; i + 1 < infinity; ++i) {
    const float low = value(i);
    const float high = value(i + 1);
    const float tie = low + (high - low) / 2.0F;
    const unsigned even = i % 2 == 0 ? i : i + 1;
    for (const unsigned sign : {0U, 0x8000U}) {
      const float factor = sign != 0 ? -1.0F : 1.0F;
      const auto add = [&](float x, unsigned bits) {
        values.push_back(factor * x);
        expected.push_back(static_cast<std::uint16_t>(sign | bits));
      };
      add(low, i);
      add(tie, even);
      add(std::nextafter(tie, 0.0F), i);
      add(std::nextafter(tie, kInf), i + 1);
    }
  }
  const Bits actual = narrow(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(actual[i], expected[i]) << std::hexfloat << values[i];
  }
}

TEST(Cast, RoundsToTheNearestHalf) {
  expect_rounds_to_nearest_even(to_half, half_value, 0x7C00);
}

TEST(Cast, RoundsToTheNearestBFloat) {
  expect_rounds_to_nearest_even(to_bfloat, bfloat_value, 0x7F80);
}

TEST(Cast, MapsTheEndsOfTheRange) {
  // 65,520 is the tie between the largest half and what would follow it.
  EXPECT_EQ(to_half({65504.0F, 65519.996F, 65520.0F, 1e30F, kInf, -kInf, -0.0F}),
            (Bits{0x7BFF, 0x7BFF, 0x7C00, 0x7C00, 0x7C00, 0xFC00, 0x8000}));
  EXPECT_EQ(to_bfloat({3.4028235e38F, -3.4028235e38F, 3.3895314e38F, kInf, -kInf, -0.0F}),
            (Bits{0x7F80, 0xFF80, 0x7F7F, 0x7F80, 0xFF80, 0x8000}));
  EXPECT_EQ(to_half({kNan, -kNan}), (Bits{0x7E00, 0xFE00}));
  EXPECT_EQ(to_bfloat({kNan, -kNan}), (Bits{0x7FC0, 0xFFC0}));
  // Half the smallest subnormal is a tie with 0; the smallest float32 vanishes.
  EXPECT_EQ(to_half({0x1p-25F, 0x1.000002p-25F, 1e-45F}), (Bits{0, 1, 0}));
}

TEST(Cast, TruncatesAndSaturatesFloats) {
  const Tensor x =
      floats({9}, {-1e20F, -129.0F, -128.9F, -1.9F, kNan, 1.9F, 127.9F, 255.9F, 1e20F});

  EXPECT_EQ((to_integers<std::int8_t>(x, DType::kInt8)),
            (std::vector<std::int8_t>{-128, -128, -128, -1, 0, 1, 127, 127, 127}));
  EXPECT_EQ((to_integers<std::uint8_t>(x, DType::kUInt8)),
            (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1, 127, 255, 255}));
  EXPECT_EQ((to_integers<std::int32_t>(x, DType::kInt32)),
            (std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(),
                                       -129,
                                       -128,
                                       -1,
                                       0,
                                       1,
                                       127,
                                       255,
                                       std::numeric_limits<std::int32_t>::max()}));
  EXPECT_EQ((to_integers<std::int64_t>(x, DType::kInt64)),
            (std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(),
                                       -129,
                                       -128,
                                       -1,
                                       0,
                                       1,
                                       127,
                                       255,
                                       std::numeric_limits<std::int64_t>::max()}));
}

TEST(Cast, SaturatesAtTheEdgesOfWideIntegers) {
  const Tensor x = floats({6}, {0x1p31F, 0x1.fffffep30F, -0x1p31F, 0x1p63F, -0x1p63F, kInf});

  EXPECT_EQ((to_integers<std::int32_t>(x, DType::kInt32)),
            (std::vector<std::int32_t>{
                2147483647, 2147483520, -2147483647 - 1, 2147483647, -2147483647 - 1, 2147483647}));
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(
      (to_integers<std::int64_t>(x, DType::kInt64)),
      (std::vector<std::int64_t>{2147483648, 2147483520, -2147483648, kMax, -kMax - 1, kMax}));
}

TEST(Cast, ReadsHalvesAsIntegers) {
  const Tensor x = tensor(DType::kFloat16, {4}, Bits{0x4248, 0xC248, 0x7C00, 0x7E00});

  // 3.140625, its negative, infinity, NaN
  EXPECT_EQ((to_integers<std::int8_t>(x, DType::kInt8)), (std::vector<std::int8_t>{3, -3, 127, 0}));
}

TEST(Cast, SaturatesIntegers) {
  const Tensor x =
      tensor(DType::kInt64,
             {6},
             std::vector<std::int64_t>{-5'000'000'000, -200, -1, 127, 200, 5'000'000'000});

  EXPECT_EQ((to_integers<std::int8_t>(x, DType::kInt8)),
            (std::vector<std::int8_t>{-128, -128, -1, 127, 127, 127}));
  EXPECT_EQ((to_integers<std::uint8_t>(x, DType::kUInt8)),
            (std::vector<std::uint8_t>{0, 0, 0, 127, 200, 255}));
  EXPECT_EQ((to_integers<std::int32_t>(x, DType::kInt32)),
            (std::vector<std::int32_t>{-2147483647 - 1, -200, -1, 127, 200, 2147483647}));
}

TEST(Cast, RoundsWideIntegersOnce) {
  // One above a tie, in a bit that a double has no room for; and the tie itself.
  const std::int64_t tie_f32 = (std::int64_t{1} << 62) + (std::int64_t{1} << 38);
  const std::int64_t tie_bf16 = (std::int64_t{1} << 62) + (std::int64_t{1} << 54);
  const std::vector<std::int64_t> ties{tie_f32,
                                       tie_f32 + 1,
                                       -tie_f32,
                                       -tie_f32 - 1,
                                       tie_bf16,
                                       tie_bf16 + 1,
                                       -tie_bf16,
                                       -tie_bf16 - 1};
  const Tensor x = tensor(DType::kInt64, {8}, ties);

  const auto singles = run(Cast{}, {x})[0].floats();
  EXPECT_EQ(singles[0], 0x1p62F);
  EXPECT_EQ(singles[1], 0x1.000002p62F);
  EXPECT_EQ(singles[2], -0x1p62F);
  EXPECT_EQ(singles[3], -0x1.000002p62F);
  const auto bfloats = run(Cast{.to = DType::kBFloat16}, {x})[0].values<std::uint16_t>();
  EXPECT_EQ(bfloats[4], 0x5E80);
  EXPECT_EQ(bfloats[5], 0x5E81);
  EXPECT_EQ(bfloats[6], 0xDE80);
  EXPECT_EQ(bfloats[7], 0xDE81);
}

TEST(Cast, MakesFloatsOfSmallIntegers) {
  const Tensor x = tensor(DType::kUInt8, {3}, std::vector<std::uint8_t>{0, 128, 255});

  EXPECT_EQ(run(Cast{}, {x})[0].floats(), (std::vector<float>{0, 128, 255}));
  EXPECT_EQ(run(Cast{.to = DType::kFloat16}, {x})[0].values<std::uint16_t>(),
            (Bits{0, 0x5800, 0x5BF8}));
}

TEST(Cast, KeepsEveryBitOfTheSameType) {
  const std::vector<std::int64_t> wide{std::numeric_limits<std::int64_t>::max(), -1};
  EXPECT_EQ((to_integers<std::int64_t>(tensor(DType::kInt64, {2}, wide), DType::kInt64)), wide);
  const Bits payload{0x7D01, 0xFFFF};
  EXPECT_EQ(run(Cast{.to = DType::kFloat16}, {tensor(DType::kFloat16, {2}, payload)})[0]
                .values<std::uint16_t>(),
            payload);
}

TEST(Cast, HasTheShapeOfItsInput) {
  EXPECT_EQ(infer(Cast{.to = DType::kInt8}, {f32({kBatch, 7, 3})}),
            (std::vector<TensorDesc>{{DType::kInt8, {kBatch, 7, 3}}}));
  expect_refused(Cast{.to = unknown<DType>(7)}, {f32({3})}, {"element type", "7"});
  expect_refused(Cast{}, {{unknown<DType>(42), {3}}}, {"element type", "42"});
  expect_refused(Cast{}, {}, {"0 inputs", "takes 1"});
}

TEST(Identity, KeepsEverything) {
  const Bits bits{1, 0x7D01, 3};
  const Tensor y = run(Identity{}, {tensor(DType::kBFloat16, {3, 1}, bits)})[0];

  EXPECT_EQ(y.desc, (TensorDesc{DType::kBFloat16, {3, 1}}));
  EXPECT_EQ(y.values<std::uint16_t>(), bits);
  expect_refused(Identity{}, {f32({2}), f32({2})}, {"2 inputs", "takes 1"});
}

}  // namespace
}  // namespace fovea
