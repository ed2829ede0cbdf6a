#include "kernels/pool.h"

#include <limits>

#include "engine/graph/ops/pool.h"
#include "kernels/global_pool.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

/// A picture, a window as {kernel, stride}, and pads {top, left, bottom, right}.
struct Case {
  std::int64_t n;
  std::int64_t h;
  std::int64_t w;
  std::int64_t c;
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> strides;
  Pads pads;
};

const std::vector<Case> kCases{
    {1, 1, 1, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {2, 4, 6, 3, {2, 2}, {2, 2}, {0, 0, 0, 0}},
    {1, 5, 7, 31, {3, 3}, {2, 2}, {1, 1, 1, 1}},
    {1, 6, 5, 32, {3, 3}, {2, 2}, {0, 0, 1, 1}},
    {2, 5, 5, 33, {3, 2}, {1, 2}, {2, 1, 1, 0}},
    {1, 8, 8, 36, {3, 3}, {1, 1}, {1, 1, 1, 1}},
    {1, 5, 4, 40, {3, 3}, {2, 1}, {1, 0, 1, 1}},
    {1, 56, 56, 64, {3, 3}, {2, 2}, {1, 1, 1, 1}},
};

/// Of the windows that a thread walks along: odd and even sides, windows over every border and over
/// none, outputs of one pixel, and more channels than a vector.
const std::vector<Case> kWalkCases{
    {1, 1, 1, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}},
    {2, 2, 2, 8, {2, 2}, {2, 2}, {0, 0, 0, 0}},
    {1, 3, 3, 16, {3, 3}, {2, 2}, {0, 0, 0, 0}},
    {2, 9, 7, 16, {3, 3}, {1, 1}, {1, 1, 1, 1}},
    {1, 8, 10, 8, {3, 3}, {1, 1}, {0, 0, 0, 0}},
    {1, 5, 6, 8, {3, 3}, {1, 1}, {2, 0, 2, 1}},
    {2, 9, 11, 8, {3, 3}, {2, 2}, {1, 1, 1, 1}},
    {1, 10, 8, 24, {3, 3}, {2, 2}, {0, 0, 1, 1}},
    {1, 12, 9, 8, {3, 3}, {2, 2}, {2, 2, 2, 2}},
    {2, 11, 10, 8, {2, 2}, {2, 2}, {1, 1, 1, 0}},
    {1, 9, 9, 40, {2, 2}, {2, 2}, {0, 0, 1, 1}},
};

/// Rows of a walk: one, those that end in and on the last row, the longest that is chosen, and more
/// than there are.
constexpr std::array kWalks{1, 2, 3, 4, 99};

/// Sums of up to 9 floats, then one division: (9 + 1) * 2^-24, of sums that may cancel.
constexpr double kAverageError = 1e-6;

class PoolTest : public test::DeviceTest {
 protected:
  struct Strides {
    std::int64_t x;
    std::int64_t x_offset;
    std::int64_t y;
    std::int64_t y_offset;
  };

  /// Runs `pool` on elements of the type, with x and y as slices of larger buffers.
  template <typename Pool>
  std::vector<float> run(
      ElementType type, const Case& c, const Strides& s, const std::vector<float>& x, Pool pool) {
    SCOPED_TRACE(testing::Message() << to_string(test::dtype_of(type)) << ", " << c.c
                                    << " channels at " << s.x_offset << '/' << s.x);
    const TensorDesc in{DType::kFloat32, {c.n, c.h, c.w, c.c}};
    const TensorDesc out = MaxPool{c.kernel, c.strides, c.pads}.infer({&in, 1})[0];
    const auto channels = static_cast<std::size_t>(c.c);
    const auto x_offset = static_cast<std::size_t>(s.x_offset);
    const auto y_offset = static_cast<std::size_t>(s.y_offset);
    const test::DeviceElements from(
        type, test::spread(x, channels, static_cast<std::size_t>(s.x), x_offset));
    const auto pixels = static_cast<std::size_t>(num_elements(out.shape) / c.c);
    const test::DeviceElements to(type,
                                  std::vector<float>(pixels * static_cast<std::size_t>(s.y),
                                                     std::numeric_limits<float>::quiet_NaN()));
    const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };

    EXPECT_EQ(pool(PoolArgs{.type = type,
                            .x = from.at(x_offset),
                            .y = to.at(y_offset),
                            .x_stride = s.x,
                            .y_stride = s.y,
                            .n = size(c.n),
                            .h = size(c.h),
                            .w = size(c.w),
                            .c = size(c.c),
                            .out_h = size(out.shape[1]),
                            .out_w = size(out.shape[2]),
                            .kernel_h = size(c.kernel[0]),
                            .kernel_w = size(c.kernel[1]),
                            .stride_h = size(c.strides[0]),
                            .stride_w = size(c.strides[1]),
                            .pad_top = size(c.pads[0]),
                            .pad_left = size(c.pads[1])}),
              cudaSuccess);
    return test::gathered(to.download(stream()), channels, static_cast<std::size_t>(s.y), y_offset);
  }

  /// Dense, slices that keep 16-byte vectors of 4-byte elements and of all, and slices that do not,
  /// each for one reason alone.
  static std::vector<Strides> strides_for(const Case& c) {
    return {{c.c, 0, c.c, 0},
            {c.c + 8, 4, c.c + 12, 8},
            {c.c + 8, 8, c.c + 16, 8},
            {c.c + 3, 0, c.c + 8, 0},
            {c.c + 8, 0, c.c + 3, 0},
            {c.c + 8, 1, c.c + 8, 8},
            {c.c + 8, 8, c.c + 8, 1}};
  }

  /// Holds `pool` to the definition of `op` for elements of every type, however they lie.
  ///
  /// error      absolute and relative, of the float32 arithmetic
  /// roundings  of the result to its type: 0 where it is an element of x
  template <typename Op, typename Pool>
  void compare(const Case& c,
               const std::vector<float>& values,
               const Op& op,
               double error,
               int roundings,
               const Pool& pool) {
    for (const ElementType type : test::kElementTypes) {
      const std::vector<float> x = test::rounded(values, type);
      const std::vector<float> expected =
          test::evaluated(op, {{{DType::kFloat32, {c.n, c.h, c.w, c.c}}, x}});
      for (const Strides& s : strides_for(c)) {
        test::expect_near(run(type, c, s, x, pool),
                          expected,
                          error,
                          error + roundings * test::unit_roundoff(type));
      }
    }
  }

  static std::vector<float> values(const Case& c) {
    return test::random_floats(static_cast<std::size_t>(c.n * c.h * c.w * c.c), 3);
  }
};

TEST_P(PoolTest, MaximumEqualsTheReference) {
  for (const Case& c : kCases) {
    std::vector<float> x = values(c);
    if (x.size() > 40) {
      x[0] = std::numeric_limits<float>::quiet_NaN();
      x[7] = -std::numeric_limits<float>::infinity();
      x[20] = std::numeric_limits<float>::infinity();
    }
    const auto pool = [this](const PoolArgs& args) { return max_pool(args, stream()); };
    compare(c, x, MaxPool{c.kernel, c.strides, c.pads}, 0, 0, pool);
  }
}

TEST_P(PoolTest, AverageEqualsTheReference) {
  for (const Case& c : kCases) {
    for (const bool count_padding : {false, true}) {
      const auto pool = [&](const PoolArgs& args) {
        return average_pool(args, count_padding, stream());
      };
      const AveragePool op{c.kernel, c.strides, c.pads, count_padding};
      compare(c, values(c), op, kAverageError, 1, pool);
    }
  }
}

TEST_P(PoolTest, WalksOfAnyLengthFindTheMaximum) {
  for (const Case& c : kWalkCases) {
    std::vector<float> x = values(c);
    for (std::size_t i = 3; i < x.size(); i += 61) x[i] = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 9; i < x.size(); i += 35) x[i] = std::numeric_limits<float>::infinity();
    for (std::size_t i = 1; i < x.size(); i += 2) x[i] = -std::numeric_limits<float>::infinity();
    for (const int walk : kWalks) {
      const auto pool = [&](PoolArgs args) {
        args.walk = walk;
        return max_pool(args, stream());
      };
      compare(c, x, MaxPool{c.kernel, c.strides, c.pads}, 0, 0, pool);
    }
  }
}

TEST_P(PoolTest, WalksOfAnyLengthFindTheMean) {
  for (const Case& c : kWalkCases) {
    for (const int walk : kWalks) {
      const bool count_padding = walk % 2 == 0;
      const auto pool = [&](PoolArgs args) {
        args.walk = walk;
        return average_pool(args, count_padding, stream());
      };
      const AveragePool op{c.kernel, c.strides, c.pads, count_padding};
      compare(c, values(c), op, kAverageError, 1, pool);
    }
  }
}

/// Or else a picture's result would depend on the pictures that come with it.
TEST_P(PoolTest, EveryKernelAddsInTheSameOrder) {
  for (const Case& c : kWalkCases) {
    for (const ElementType type : test::kElementTypes) {
      const std::vector<float> x = test::rounded(values(c), type);
      std::vector<float> expected;
      for (const Strides& s : strides_for(c)) {
        for (const int walk : {1, 3}) {
          const std::vector<float> result = run(type, c, s, x, [&](PoolArgs args) {
            args.walk = walk;
            return average_pool(args, false, stream());
          });
          if (expected.empty()) expected = result;
          EXPECT_EQ(result, expected);
        }
      }
    }
  }
}

TEST_P(PoolTest, AppliesItsActivationToTheMean) {
  const Activation relu{.kind = ActivationKind::kRelu};
  for (const Case& c : kCases) {
    AveragePool op{c.kernel, c.strides, c.pads};
    op.activation.kind = fovea::ActivationKind::kRelu;
    const auto pool = [&](PoolArgs args) {
      args.activation = relu;
      return average_pool(args, false, stream());
    };
    compare(c, values(c), op, kAverageError, 1, pool);
  }
}

TEST_P(PoolTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(32);
  const PoolArgs good{.x = memory.data(),
                      .y = memory.data() + 16,
                      .x_stride = 4,
                      .y_stride = 4,
                      .n = 1,
                      .h = 2,
                      .w = 2,
                      .c = 4,
                      .out_h = 1,
                      .out_w = 1,
                      .kernel_h = 2,
                      .kernel_w = 2};
  for (const auto& break_it :
       std::vector<void (*)(PoolArgs&)>{[](PoolArgs& a) { a.n = -1; },
                                        [](PoolArgs& a) { a.h = 0; },
                                        [](PoolArgs& a) { a.w = 0; },
                                        [](PoolArgs& a) { a.c = 0; },
                                        [](PoolArgs& a) { a.out_h = 0; },
                                        [](PoolArgs& a) { a.out_w = 0; },
                                        [](PoolArgs& a) { a.kernel_h = 0; },
                                        [](PoolArgs& a) { a.kernel_w = 0; },
                                        [](PoolArgs& a) { a.stride_h = 0; },
                                        [](PoolArgs& a) { a.stride_w = 0; },
                                        [](PoolArgs& a) { a.pad_top = 2; },
                                        [](PoolArgs& a) { a.pad_left = -1; },
                                        [](PoolArgs& a) { a.x_stride = 3; },
                                        [](PoolArgs& a) { a.y_stride = 3; },
                                        [](PoolArgs& a) { a.walk = -1; },
                                        [](PoolArgs& a) { a.n = a.out_h = 1 << 15; }}) {
    PoolArgs bad = good;
    break_it(bad);
    EXPECT_EQ(max_pool(bad, stream()), cudaErrorInvalidValue);
  }
  PoolArgs nothing = good;
  nothing.n = 0;
  EXPECT_EQ(max_pool(nothing, stream()), cudaSuccess);
}

class GlobalPoolTest : public test::DeviceTest {
 protected:
  struct Case {
    int n;
    int pixels;
    int c;
  };

  /// Around a warp, the 64 channels of a tile, and vectors of 4 and 8; pixels around the threads
  /// that share them.
  const std::vector<Case> cases_{{1, 1, 1},
                                 {2, 7, 31},
                                 {3, 8, 32},
                                 {1, 9, 33},
                                 {1, 65, 3},
                                 {2, 17, 36},
                                 {1, 33, 72},
                                 {2, 49, 2048}};

  struct Slice {
    std::size_t extra;  ///< stride beyond the channels
    std::size_t offset;
  };

  template <typename Kernel>
  void compare(Kernel kernel, PoolKind kind, double error, int roundings) {
    for (const Case& c : cases_) {
      const auto channels = static_cast<std::size_t>(c.c);
      std::vector<float> values =
          test::random_floats(static_cast<std::size_t>(c.n * c.pixels) * channels, 5);
      if (values.size() > 40) values[33] = std::numeric_limits<float>::quiet_NaN();
      for (const ElementType type : test::kElementTypes) {
        const std::vector<float> x = test::rounded(values, type);
        const std::vector<float> expected = test::evaluated(
            GlobalPool{.kind = kind}, {{{DType::kFloat32, {c.n, c.pixels, 1, c.c}}, x}});
        for (const Slice& slice :
             {Slice{0, 0}, Slice{5, 0}, Slice{8, 1}, Slice{8, 8}, Slice{8, 4}}) {
          SCOPED_TRACE(testing::Message() << to_string(test::dtype_of(type)) << ", " << c.pixels
                                          << " pixels of " << c.c << " channels at " << slice.offset
                                          << " of " << slice.extra << " more");
          const test::DeviceElements from(
              type, test::spread(x, channels, channels + slice.extra, slice.offset));
          const test::DeviceElements to(type, static_cast<std::size_t>(c.n) * channels);

          ASSERT_EQ(kernel({.type = type,
                            .x = from.at(slice.offset),
                            .y = to.data(),
                            .x_stride = static_cast<std::int64_t>(channels + slice.extra),
                            .n = c.n,
                            .pixels = c.pixels,
                            .c = c.c},
                           stream()),
                    cudaSuccess);

          test::expect_near(to.download(stream()),
                            expected,
                            error,
                            error + roundings * test::unit_roundoff(type));
        }
      }
    }
  }
};

TEST_P(GlobalPoolTest, AverageEqualsTheReference) {
  // Terms one after the other: 65 / 8 + 8 of single floats, 49 / 16 + 16 of vectors of 4, 49 / 32 +
  // 32 of vectors of 8, where the mean is rounded to a 16-bit type anyway. Of sums that may cancel:
  // below 20 * 2^-24, but for the last 34 * 2^-24.
  compare(global_average_pool, PoolKind::kAverage, 1.2e-6, 1);
}

TEST_P(GlobalPoolTest, MaximumEqualsTheReference) {
  compare(global_max_pool, PoolKind::kMax, 0, 0);
}

TEST_P(GlobalPoolTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(32);
  const GlobalPoolArgs good{
      .x = memory.data(), .y = memory.data() + 16, .x_stride = 4, .n = 1, .pixels = 2, .c = 4};
  for (const auto& break_it :
       std::vector<void (*)(GlobalPoolArgs&)>{[](GlobalPoolArgs& a) { a.n = -1; },
                                              [](GlobalPoolArgs& a) { a.n = 65536; },
                                              [](GlobalPoolArgs& a) { a.pixels = 0; },
                                              [](GlobalPoolArgs& a) { a.c = 0; },
                                              [](GlobalPoolArgs& a) { a.x_stride = 3; }}) {
    GlobalPoolArgs bad = good;
    break_it(bad);
    EXPECT_EQ(global_average_pool(bad, stream()), cudaErrorInvalidValue);
  }
  GlobalPoolArgs nothing = good;
  nothing.n = 0;
  EXPECT_EQ(global_average_pool(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(PoolTest);
FOVEA_ON_EVERY_DEVICE_RUN(GlobalPoolTest);

}  // namespace
}  // namespace fovea::kernels
