#include "kernels/lrn.h"

#include <limits>

#include "engine/graph/ops/lrn.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

struct Case {
  std::int64_t pixels;
  std::int64_t channels;
  Lrn op;
};

/// Channels around the vectors and around the windows, and every exponent.
const std::vector<Case> kCases{{1, 1, {}},
                               {3, 2, {.size = 3, .alpha = 0.25, .beta = 0.5, .bias = 2.0}},
                               {5, 4, {.alpha = 0.5}},
                               {4, 8, {.alpha = 0.5}},
                               {7, 16, {.alpha = 2.0, .beta = 0.5}},
                               {3, 24, {.alpha = 0.5, .beta = 1.0, .bias = 2.0}},
                               {3, 24, {.alpha = 0.5, .beta = 0.6}},
                               {3, 24, {.size = 1, .alpha = 0.5}},
                               {3, 24, {.size = 4, .alpha = 0.5}},
                               {3, 24, {.size = 9, .alpha = 0.5}},
                               {2, 7, {.size = 100, .alpha = 3.0}},
                               {33, 31, {.alpha = 0.5}},
                               {33, 33, {.alpha = 0.5}},
                               {65, 96, {.alpha = 1e-4, .bias = 2.0}}};

struct Place {
  std::int64_t x_stride;
  std::size_t x_offset;
  std::int64_t y_stride;
  std::size_t y_offset;
};

class LrnTest : public test::DeviceTest {
 protected:
  static LrnArgs described(const Case& c) {
    return {.pixels = c.pixels,
            .channels = static_cast<int>(c.channels),
            .before = static_cast<int>((c.op.size - 1) / 2),
            .after = static_cast<int>(c.op.size / 2),
            .scale = static_cast<float>(c.op.alpha / static_cast<double>(c.op.size)),
            .beta = static_cast<float>(c.op.beta),
            .bias = static_cast<float>(c.op.bias)};
  }

  /// Dense, slices that keep 16-byte vectors of every type, and slices that do not.
  static std::vector<Place> places_for(const Case& c) {
    return {{c.channels, 0, c.channels, 0},
            {c.channels + 16, 8, c.channels + 24, 16},
            {c.channels + 8, 4, c.channels, 0},
            {c.channels, 0, c.channels + 3, 2}};
  }
};

TEST_P(LrnTest, EqualsTheReference) {
  // Five roundings in the squares' sum, two more in the scale, and 2 ulp each of a reciprocal root
  // and of a power whose exponent is a float.
  constexpr double kError = 2e-6;
  for (const Case& c : kCases) {
    for (const ElementType type : test::kElementTypes) {
      const auto row = static_cast<std::size_t>(c.channels);
      std::vector<float> x = test::rounded(
          test::random_floats(static_cast<std::size_t>(c.pixels) * row, 7, 3.0F), type);
      if (x.size() > 60) x[50] = std::numeric_limits<float>::quiet_NaN();
      const std::vector<float> expected =
          test::evaluated(c.op, {{{DType::kFloat32, {1, c.pixels, 1, c.channels}}, x}});
      for (const Place& place : places_for(c)) {
        SCOPED_TRACE(testing::Message()
                     << to_string(test::dtype_of(type)) << ", " << c.op.size << " of " << c.channels
                     << " channels, x " << place.x_stride << '+' << place.x_offset);
        const auto x_stride = static_cast<std::size_t>(place.x_stride);
        const auto y_stride = static_cast<std::size_t>(place.y_stride);
        const test::DeviceElements x_on(type, test::spread(x, row, x_stride, place.x_offset));
        const test::DeviceElements y_on(
            type,
            std::vector<float>(static_cast<std::size_t>(c.pixels) * y_stride,
                               std::numeric_limits<float>::quiet_NaN()));
        LrnArgs args = described(c);
        args.type = type;
        args.x = x_on.at(place.x_offset);
        args.y = y_on.at(place.y_offset);
        args.x_stride = place.x_stride;
        args.y_stride = place.y_stride;

        ASSERT_EQ(lrn(args, stream()), cudaSuccess);

        test::expect_near(test::gathered(y_on.download(stream()), row, y_stride, place.y_offset),
                          expected,
                          0.0,
                          kError + test::unit_roundoff(type));
      }
    }
  }
}

TEST_P(LrnTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(32);
  const LrnArgs good{.x = memory.data(),
                     .y = memory.data() + 16,
                     .x_stride = 4,
                     .y_stride = 4,
                     .pixels = 4,
                     .channels = 4};
  for (const auto& break_it :
       std::vector<void (*)(LrnArgs&)>{[](LrnArgs& a) { a.pixels = -1; },
                                       [](LrnArgs& a) { a.pixels = std::int64_t{1} << 29; },
                                       [](LrnArgs& a) { a.channels = 0; },
                                       [](LrnArgs& a) { a.x_stride = 3; },
                                       [](LrnArgs& a) { a.y_stride = 3; },
                                       [](LrnArgs& a) { a.before = -1; },
                                       [](LrnArgs& a) { a.after = -1; }}) {
    LrnArgs bad = good;
    break_it(bad);
    EXPECT_EQ(lrn(bad, stream()), cudaErrorInvalidValue);
  }
  LrnArgs nothing = good;
  nothing.pixels = 0;
  EXPECT_EQ(lrn(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(LrnTest);

}  // namespace
}  // namespace fovea::kernels
