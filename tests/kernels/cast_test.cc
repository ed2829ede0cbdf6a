#include "kernels/cast.h"

#include <bit>
#include <cmath>
#include <limits>

#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

struct Case {
  std::size_t pixels;
  std::size_t channels;
  std::size_t x_extra;  ///< stride beyond the channels
  std::size_t x_offset;
  std::size_t y_extra;
  std::size_t y_offset;
};

/// Around a vector of 8 and a block of them; dense, slices that keep 16-byte accesses and end
/// within one, and slices that do not.
const std::vector<Case> kCases{{1, 1, 0, 0, 0, 0},
                               {1, 7, 0, 0, 0, 0},
                               {1, 8, 0, 0, 0, 0},
                               {3, 3, 0, 0, 0, 0},
                               {5, 31, 0, 0, 0, 0},
                               {257, 8, 0, 0, 0, 0},
                               {9, 40, 8, 8, 24, 16},
                               {9, 20, 12, 8, 4, 0},
                               {9, 20, 12, 4, 4, 0},
                               {9, 24, 8, 8, 8, 7},
                               {9, 24, 8, 1, 8, 8},
                               {4, 33, 2, 1, 3, 2},
                               {4, 16, 4, 0, 0, 0},
                               {4, 16, 0, 0, 4, 0},
                               {1, 16, 8, 3, 8, 8},
                               {49, 256, 0, 0, 256, 256}};

class CastTest : public test::DeviceTest {
 protected:
  void compare(const Case& c, ElementType from, ElementType to) {
    SCOPED_TRACE(testing::Message()
                 << to_string(test::dtype_of(from)) << " to " << to_string(test::dtype_of(to))
                 << ", " << c.pixels << " pixels of " << c.channels << ", " << c.x_offset << '/'
                 << c.x_extra << " to " << c.y_offset << '/' << c.y_extra);
    std::vector<float> x =
        test::rounded(test::random_floats(c.pixels * c.channels, 1, 100.0F), from);
    if (x.size() > 30) x[29] = -std::numeric_limits<float>::infinity();
    const std::size_t x_stride = c.channels + c.x_extra;
    const std::size_t y_stride = c.channels + c.y_extra;
    const test::DeviceElements x_on(from, test::spread(x, c.channels, x_stride, c.x_offset));
    const test::DeviceElements y_on(
        to, std::vector<float>(c.pixels * y_stride, std::numeric_limits<float>::quiet_NaN()));

    ASSERT_EQ(cast({.from = from,
                    .to = to,
                    .x = x_on.at(c.x_offset),
                    .y = y_on.at(c.y_offset),
                    .x_stride = static_cast<std::int64_t>(x_stride),
                    .y_stride = static_cast<std::int64_t>(y_stride),
                    .pixels = static_cast<std::int64_t>(c.pixels),
                    .channels = static_cast<std::int64_t>(c.channels)},
                   stream()),
              cudaSuccess);

    test::expect_near(test::gathered(y_on.download(stream()), c.channels, y_stride, c.y_offset),
                      test::rounded(x, to),
                      0,
                      0);
  }

  /// Casts these elements and expects what the operator gives, bit for bit; NaN for NaN.
  void expect_same_bits(const std::vector<std::byte>& x, ElementType from, ElementType to) {
    const std::size_t count = x.size() / bytes_of(from);
    const test::DeviceArray<std::byte> x_on(x);
    const test::DeviceArray<std::byte> y_on(count * bytes_of(to));

    ASSERT_EQ(cast({.from = from,
                    .to = to,
                    .x = x_on.data(),
                    .y = y_on.data(),
                    .x_stride = static_cast<std::int64_t>(count),
                    .y_stride = static_cast<std::int64_t>(count),
                    .pixels = 1,
                    .channels = static_cast<std::int64_t>(count)},
                   stream()),
              cudaSuccess);

    const std::vector<std::byte> got = y_on.download(stream());
    const std::vector<std::byte> want = test::converted(x, from, to);
    const std::vector<float> got_floats = test::to_floats(got, to);
    const std::vector<float> want_floats = test::to_floats(want, to);
    for (std::size_t i = 0; i < count; ++i) {
      if (std::isnan(want_floats[i])) {
        ASSERT_TRUE(std::isnan(got_floats[i])) << "element " << i;
      } else {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(got_floats[i]),
                  std::bit_cast<std::uint32_t>(want_floats[i]))
            << "element " << i << ": " << got_floats[i] << " instead of " << want_floats[i];
      }
    }
  }
};

TEST_P(CastTest, TakesEveryPairOfTypesHoweverTheyLie) {
  for (const Case& c : kCases) {
    for (const ElementType from : test::kElementTypes) {
      for (const ElementType to : test::kElementTypes) compare(c, from, to);
    }
  }
}

TEST_P(CastTest, EveryNumberOf16BitsBecomesWhatTheOperatorSays) {
  std::vector<std::byte> all(std::size_t{2} << 16U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::byte>(i % 2 == 0 ? i / 2 % 256 : i / 512);
  }
  for (const ElementType from : {ElementType::kFloat16, ElementType::kBFloat16}) {
    for (const ElementType to : test::kElementTypes) expect_same_bits(all, from, to);
  }
}

/// Numbers between two neighbours of the 16-bit types: below the middle, on it and above it, from
/// the smallest ones to what becomes infinity.
TEST_P(CastTest, RoundsToNearestEven) {
  std::vector<float> x;
  for (const std::uint32_t place : {13U, 16U}) {  // of the last bit of f16 and of bf16
    for (std::uint32_t upper = 0; upper < 1U << (31 - place); upper += 37) {
      for (const std::uint32_t beyond : {0U, (1U << (place - 1)) - 1, 1U << (place - 1)}) {
        x.push_back(std::bit_cast<float>((upper << place) + beyond));
        x.push_back(-std::bit_cast<float>((upper << place) + beyond + 1));
      }
    }
  }
  for (const float edge : {65504.0F, 65519.0F, 65520.0F, 0x1p-24F, 0x1p-25F, 0x1.8p-25F, 3.4e38F}) {
    x.push_back(edge);
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(x.data());
  for (const ElementType to : {ElementType::kFloat16, ElementType::kBFloat16}) {
    expect_same_bits({bytes, bytes + x.size() * sizeof(float)}, ElementType::kFloat32, to);
  }
}

TEST_P(CastTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const CastArgs good{.to = ElementType::kFloat16,
                      .x = memory.data(),
                      .y = memory.data() + 32,
                      .x_stride = 4,
                      .y_stride = 4,
                      .pixels = 4,
                      .channels = 4};
  for (const auto& break_it : std::vector<void (*)(CastArgs&)>{
           [](CastArgs& a) { a.pixels = -1; },
           [](CastArgs& a) { a.pixels = std::int64_t{1} << 29; },
           [](CastArgs& a) { a.channels = 0; },
           [](CastArgs& a) {
             a.channels = a.x_stride = a.y_stride = std::int64_t{1} << 31;
             a.pixels = 1;
           },
           [](CastArgs& a) { a.x_stride = 3; },
           [](CastArgs& a) { a.y_stride = 3; }}) {
    CastArgs bad = good;
    break_it(bad);
    EXPECT_EQ(cast(bad, stream()), cudaErrorInvalidValue);
  }
  CastArgs nothing = good;
  nothing.pixels = 0;
  EXPECT_EQ(cast(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(CastTest);

}  // namespace
}  // namespace fovea::kernels
