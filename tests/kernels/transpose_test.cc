#include "kernels/transpose.h"

#include <numeric>

#include "tests/kernels/device_test.h"

namespace fovea::kernels {
namespace {

using Dims = std::vector<std::int64_t>;

/// A tensor and the order of its dimensions in y, with elements beside the last dimension of either
/// side: a channel slice.
struct Case {
  Dims shape;
  std::vector<std::size_t> perm;
  std::int64_t x_extra = 0;
  std::int64_t y_extra = 0;
};

/// Matrices around a tile, pictures in both directions, dimensions that stay, that merge and that
/// are 1, and ranks from 0 to 8.
const std::vector<Case> kCases{{{}, {}},
                               {{1}, {0}},
                               {{7}, {0}},
                               {{8, 8}, {1, 0}},
                               {{7, 33}, {1, 0}},
                               {{31, 32}, {1, 0}},
                               {{33, 65}, {1, 0}},
                               {{40, 24}, {1, 0}, 8, 4},
                               {{2, 5, 6, 33}, {0, 3, 1, 2}},
                               {{2, 33, 5, 6}, {0, 2, 3, 1}},
                               {{3, 4, 9, 16}, {0, 3, 1, 2}, 16, 0},
                               {{3, 16, 4, 9}, {0, 2, 3, 1}, 0, 3},
                               {{2, 3, 224, 2}, {0, 3, 1, 2}},
                               {{2, 3, 4, 16}, {0, 2, 1, 3}},
                               {{2, 3, 4, 16}, {0, 2, 1, 3}, 8, 16},
                               {{2, 3, 4, 12}, {2, 0, 1, 3}, 4, 1},
                               {{4, 1, 6, 1}, {3, 2, 1, 0}},
                               {{5, 4, 3, 2}, {3, 2, 1, 0}},
                               {{9, 2, 10}, {2, 1, 0}},
                               {{2, 3, 2, 2, 3, 2, 2, 3}, {7, 5, 3, 1, 6, 4, 2, 0}},
                               {{2, 1, 2, 2, 3, 2, 2, 4}, {0, 2, 1, 4, 3, 6, 5, 7}}};

/// Elements between neighbours along every dimension of a tensor whose last one is `extra` longer.
Dims strides_of(const Dims& shape, std::int64_t extra) {
  Dims strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) {
    strides[d - 1] = strides[d] * (shape[d] + (d + 1 == shape.size() ? extra : 0));
  }
  return strides;
}

/// Elements of the buffer that such a tensor lies in.
std::int64_t extent(const Dims& shape, std::int64_t extra) {
  const Dims strides = strides_of(shape, extra);
  return shape.empty() ? 1 : strides[0] * (shape[0] + (shape.size() == 1 ? extra : 0));
}

class TransposeTest : public test::DeviceTest {
 protected:
  template <typename T>
  void compare(const Case& c) {
    Dims y_shape(c.shape.size());
    Dims x_strides(c.shape.size());
    const Dims from = strides_of(c.shape, c.x_extra);
    for (std::size_t d = 0; d < c.shape.size(); ++d) {
      y_shape[d] = c.shape[c.perm[d]];
      x_strides[d] = from[c.perm[d]];
    }
    const Dims y_strides = strides_of(y_shape, c.y_extra);
    std::vector<T> x(static_cast<std::size_t>(extent(c.shape, c.x_extra)));
    std::iota(x.begin(), x.end(), T{1});
    std::vector<T> expected(static_cast<std::size_t>(extent(y_shape, c.y_extra)), T{0xEE});
    const test::DeviceArray<T> x_on(x);
    const test::DeviceArray<T> y_on(expected);
    const std::int64_t count = std::accumulate(
        y_shape.begin(), y_shape.end(), std::int64_t{1}, std::multiplies<std::int64_t>());
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t rest = i;
      std::int64_t source = 0;
      std::int64_t target = 0;
      for (std::size_t d = y_shape.size(); d-- > 0;) {
        source += rest % y_shape[d] * x_strides[d];
        target += rest % y_shape[d] * y_strides[d];
        rest /= y_shape[d];
      }
      expected[static_cast<std::size_t>(target)] = x[static_cast<std::size_t>(source)];
    }
    TransposeArgs args{.x = x_on.data(),
                       .y = y_on.data(),
                       .element_bytes = sizeof(T),
                       .rank = static_cast<int>(y_shape.size())};
    std::copy(y_shape.begin(), y_shape.end(), args.sizes.begin());
    std::copy(x_strides.begin(), x_strides.end(), args.x_strides.begin());
    std::copy(y_strides.begin(), y_strides.end(), args.y_strides.begin());

    ASSERT_EQ(transpose(args, stream()), cudaSuccess);

    EXPECT_EQ(y_on.download(stream()), expected);
  }
};

TEST_P(TransposeTest, MovesEveryElementAndNothingElse) {
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "case " << i);
    compare<std::uint8_t>(kCases[i]);
    compare<std::uint16_t>(kCases[i]);
    compare<std::uint32_t>(kCases[i]);
    compare<std::uint64_t>(kCases[i]);
  }
}

TEST_P(TransposeTest, TakesAddressesThatAreNoMultiplesOfAVector) {
  const test::DeviceArray<std::uint16_t> memory(std::vector<std::uint16_t>(64, 7));

  ASSERT_EQ(transpose({.x = memory.data() + 1,
                       .y = memory.data() + 33,
                       .element_bytes = 2,
                       .rank = 1,
                       .sizes = {16},
                       .x_strides = {1},
                       .y_strides = {1}},
                      stream()),
            cudaSuccess);

  EXPECT_EQ(memory.download(stream()), std::vector<std::uint16_t>(64, 7));
}

TEST_P(TransposeTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const TransposeArgs good{.x = memory.data(),
                           .y = memory.data() + 32,
                           .rank = 2,
                           .sizes = {4, 4},
                           .x_strides = {1, 4},
                           .y_strides = {4, 1}};
  for (const auto& break_it : std::vector<void (*)(TransposeArgs&)>{
           [](TransposeArgs& a) { a.rank = -1; },
           [](TransposeArgs& a) { a.rank = 9; },
           [](TransposeArgs& a) { a.element_bytes = 3; },
           [](TransposeArgs& a) { a.element_bytes = 16; },
           [](TransposeArgs& a) { a.sizes[1] = -1; },
           [](TransposeArgs& a) { a.sizes[0] = std::int64_t{1} << 30; },
           [](TransposeArgs& a) { a.x_strides[0] = 0; },
           [](TransposeArgs& a) { a.y_strides[1] = 0; }}) {
    TransposeArgs bad = good;
    break_it(bad);
    EXPECT_EQ(transpose(bad, stream()), cudaErrorInvalidValue);
  }
  TransposeArgs nothing = good;
  nothing.sizes[0] = 0;
  EXPECT_EQ(transpose(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(TransposeTest);

}  // namespace
}  // namespace fovea::kernels
