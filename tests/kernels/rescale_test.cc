#include "kernels/rescale.h"

#include <cmath>
#include <limits>

#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

struct Case {
  std::size_t pixels;
  std::size_t channels;
  std::size_t x_extra;
  std::size_t x_offset;
  std::size_t y_extra;
  std::size_t y_offset;
};

/// Dense, slices that keep 16-byte vectors of every type, and slices that do not.
const std::vector<Case> kCases{{1, 1, 0, 0, 0, 0},
                               {5, 31, 0, 0, 0, 0},
                               {4, 32, 0, 0, 0, 0},
                               {3, 33, 2, 1, 3, 1},
                               {9, 40, 8, 8, 24, 16},
                               {9, 40, 12, 4, 8, 0},
                               {9, 40, 8, 0, 5, 2},
                               {65, 64, 0, 0, 0, 0}};

class RescaleTest : public test::DeviceTest {};

TEST_P(RescaleTest, EqualsADoubleLoop) {
  constexpr float kScale = 1.0F / 127.5F;
  constexpr float kOffset = -1.0F;
  for (const Case& c : kCases) {
    for (const ElementType type : test::kElementTypes) {
      SCOPED_TRACE(testing::Message()
                   << to_string(test::dtype_of(type)) << ", " << c.channels << " channels");
      std::vector<float> x =
          test::rounded(test::random_floats(c.pixels * c.channels, 1, 100.0F), type);
      if (x.size() > 30) x[29] = std::numeric_limits<float>::infinity();
      std::vector<float> expected(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        expected[i] = static_cast<float>(double{x[i]} * double{kScale} + double{kOffset});
      }
      const std::size_t x_stride = c.channels + c.x_extra;
      const std::size_t y_stride = c.channels + c.y_extra;
      const test::DeviceElements x_on(type, test::spread(x, c.channels, x_stride, c.x_offset));
      const test::DeviceElements y_on(
          type, std::vector<float>(c.pixels * y_stride, std::numeric_limits<float>::quiet_NaN()));

      ASSERT_EQ(rescale({.type = type,
                         .x = x_on.at(c.x_offset),
                         .y = y_on.at(c.y_offset),
                         .x_stride = static_cast<std::int64_t>(x_stride),
                         .y_stride = static_cast<std::int64_t>(y_stride),
                         .pixels = static_cast<std::int64_t>(c.pixels),
                         .channels = static_cast<int>(c.channels),
                         .scale = kScale,
                         .offset = kOffset},
                        stream()),
                cudaSuccess);

      // Both sides round the exact value once; the double's own rounding moves it at a tie at most.
      test::expect_near(test::gathered(y_on.download(stream()), c.channels, y_stride, c.y_offset),
                        test::rounded(expected, type),
                        0,
                        0x1p-23 + test::unit_roundoff(type));
    }
  }
}

TEST_P(RescaleTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(32);
  const RescaleArgs good{.x = memory.data(),
                         .y = memory.data() + 16,
                         .x_stride = 4,
                         .y_stride = 4,
                         .pixels = 4,
                         .channels = 4};
  for (const auto& break_it :
       std::vector<void (*)(RescaleArgs&)>{[](RescaleArgs& a) { a.pixels = -1; },
                                           [](RescaleArgs& a) { a.pixels = std::int64_t{1} << 29; },
                                           [](RescaleArgs& a) { a.channels = 0; },
                                           [](RescaleArgs& a) { a.x_stride = 3; },
                                           [](RescaleArgs& a) { a.y_stride = 3; }}) {
    RescaleArgs bad = good;
    break_it(bad);
    EXPECT_EQ(rescale(bad, stream()), cudaErrorInvalidValue);
  }
  RescaleArgs nothing = good;
  nothing.pixels = 0;
  EXPECT_EQ(rescale(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(RescaleTest);

}  // namespace
}  // namespace fovea::kernels
