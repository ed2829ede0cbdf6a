#include "kernels/pad.h"

#include <limits>

#include "engine/graph/ops/pad.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

struct Case {
  Shape x;
  Pads pads;
};

const std::vector<Case> kCases{{{1, 1, 1, 1}, {0, 0, 0, 0}},
                               {{1, 1, 1, 1}, {1, 2, 3, 4}},
                               {{2, 3, 2, 8}, {1, 1, 1, 1}},
                               {{1, 4, 3, 31}, {0, 3, 0, 0}},
                               {{3, 2, 5, 32}, {2, 0, 0, 1}},
                               {{1, 5, 4, 36}, {0, 0, 1, 1}}};

class PadTest : public test::DeviceTest {
 protected:
  /// Elements beyond the channels, and before the first.
  struct Place {
    std::size_t x_extra;
    std::size_t x_offset;
    std::size_t y_extra;
    std::size_t y_offset;
  };

  /// Dense, slices that keep 16-byte vectors of every type, and slices that do not.
  const std::vector<Place> places_{{0, 0, 0, 0}, {8, 8, 16, 8}, {3, 2, 0, 0}, {0, 0, 4, 1}};
};

TEST_P(PadTest, EqualsTheReference) {
  constexpr float kValue = 0.3F;  // which no 16-bit type has
  for (const Case& c : kCases) {
    for (const ElementType type : test::kElementTypes) {
      const TensorDesc desc{DType::kFloat32, c.x};
      const auto row = static_cast<std::size_t>(c.x[3]);
      std::vector<float> x =
          test::rounded(test::random_floats(static_cast<std::size_t>(num_elements(c.x)), 3), type);
      x[0] = std::numeric_limits<float>::quiet_NaN();
      const Pad op{c.pads, kValue};
      const Shape y = op.infer({&desc, 1})[0].shape;
      const std::vector<float> expected = test::rounded(test::evaluated(op, {{desc, x}}), type);
      for (const Place& place : places_) {
        SCOPED_TRACE(testing::Message()
                     << to_string(test::dtype_of(type)) << ", " << row << " channels, x +"
                     << place.x_extra << ", y +" << place.y_extra);
        const std::size_t x_stride = row + place.x_extra;
        const std::size_t y_stride = row + place.y_extra;
        const test::DeviceElements x_on(type, test::spread(x, row, x_stride, place.x_offset));
        const test::DeviceElements y_on(
            type,
            std::vector<float>(expected.size() / row * y_stride,
                               std::numeric_limits<float>::quiet_NaN()));
        const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };

        ASSERT_EQ(pad({.type = type,
                       .x = x_on.at(place.x_offset),
                       .y = y_on.at(place.y_offset),
                       .x_stride = static_cast<std::int64_t>(x_stride),
                       .y_stride = static_cast<std::int64_t>(y_stride),
                       .n = size(c.x[0]),
                       .h = size(c.x[1]),
                       .w = size(c.x[2]),
                       .c = size(c.x[3]),
                       .out_h = size(y[1]),
                       .out_w = size(y[2]),
                       .pad_top = size(c.pads[0]),
                       .pad_left = size(c.pads[1]),
                       .value = kValue},
                      stream()),
                  cudaSuccess);

        test::expect_near(
            test::gathered(y_on.download(stream()), row, y_stride, place.y_offset), expected, 0, 0);
      }
    }
  }
}

TEST_P(PadTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const PadArgs good{.x = memory.data(),
                     .y = memory.data() + 16,
                     .x_stride = 4,
                     .y_stride = 4,
                     .n = 1,
                     .h = 2,
                     .w = 2,
                     .c = 4,
                     .out_h = 3,
                     .out_w = 3,
                     .pad_top = 1,
                     .pad_left = 1};
  for (const auto& break_it :
       std::vector<void (*)(PadArgs&)>{[](PadArgs& a) { a.n = -1; },
                                       [](PadArgs& a) { a.h = 0; },
                                       [](PadArgs& a) { a.w = 0; },
                                       [](PadArgs& a) { a.c = 0; },
                                       [](PadArgs& a) { a.out_h = 2; },
                                       [](PadArgs& a) { a.out_w = 2; },
                                       [](PadArgs& a) { a.pad_top = -1; },
                                       [](PadArgs& a) { a.pad_left = -1; },
                                       [](PadArgs& a) { a.x_stride = 3; },
                                       [](PadArgs& a) { a.y_stride = 3; },
                                       [](PadArgs& a) { a.n = a.out_h = 1 << 15; }}) {
    PadArgs bad = good;
    break_it(bad);
    EXPECT_EQ(pad(bad, stream()), cudaErrorInvalidValue);
  }
  PadArgs nothing = good;
  nothing.n = 0;
  EXPECT_EQ(pad(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(PadTest);

}  // namespace
}  // namespace fovea::kernels
