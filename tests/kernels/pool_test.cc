#include "kernels/pool.h"

#include <limits>

#include "engine/graph/ops/pool.h"
#include "kernels/global_pool.h"
#include "tests/kernels/device_test.h"

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
    {1, 56, 56, 64, {3, 3}, {2, 2}, {1, 1, 1, 1}},
};

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

  /// Runs `pool` with x and y as slices of larger buffers.
  template <typename Pool>
  std::vector<float> run(const Case& c, const Strides& s, const std::vector<float>& x, Pool pool) {
    const TensorDesc in{DType::kFloat32, {c.n, c.h, c.w, c.c}};
    const TensorDesc out = MaxPool{c.kernel, c.strides, c.pads}.infer({&in, 1})[0];
    const auto channels = static_cast<std::size_t>(c.c);
    const test::DeviceArray<float> from(test::spread(
        x, channels, static_cast<std::size_t>(s.x), static_cast<std::size_t>(s.x_offset)));
    const auto pixels = static_cast<std::size_t>(num_elements(out.shape) / c.c);
    const test::DeviceArray<float> to(std::vector<float>(pixels * static_cast<std::size_t>(s.y),
                                                         std::numeric_limits<float>::quiet_NaN()));
    const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };

    EXPECT_EQ(pool(PoolArgs{.x = from.data() + s.x_offset,
                            .y = to.data() + s.y_offset,
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
    return test::gathered(to.download(stream()),
                          channels,
                          static_cast<std::size_t>(s.y),
                          static_cast<std::size_t>(s.y_offset));
  }

  /// Dense, slices that keep 16-byte vectors, and slices that do not.
  static std::vector<Strides> strides_for(const Case& c) {
    return {{c.c, 0, c.c, 0}, {c.c + 8, 4, c.c + 12, 8}, {c.c + 3, 1, c.c + 2, 1}};
  }

  static test::HostTensor picture(const Case& c, const std::vector<float>& x) {
    return {{DType::kFloat32, {c.n, c.h, c.w, c.c}}, x};
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
    const std::vector<float> expected =
        test::evaluated(MaxPool{c.kernel, c.strides, c.pads}, {picture(c, x)});
    for (const Strides& s : strides_for(c)) {
      const auto pool = [this](const PoolArgs& args) { return max_pool(args, stream()); };
      test::expect_near(run(c, s, x, pool), expected, 0, 0);
    }
  }
}

TEST_P(PoolTest, AverageEqualsTheReference) {
  for (const Case& c : kCases) {
    const std::vector<float> x = values(c);
    for (const bool count_padding : {false, true}) {
      const std::vector<float> expected =
          test::evaluated(AveragePool{c.kernel, c.strides, c.pads, count_padding}, {picture(c, x)});
      for (const Strides& s : strides_for(c)) {
        const auto pool = [&](const PoolArgs& args) {
          return average_pool(args, count_padding, stream());
        };
        test::expect_near(run(c, s, x, pool), expected, kAverageError, kAverageError);
      }
    }
  }
}

TEST_P(PoolTest, AppliesItsActivationToTheMean) {
  const Activation relu{.kind = ActivationKind::kRelu};
  for (const Case& c : kCases) {
    const std::vector<float> x = values(c);
    AveragePool reference{c.kernel, c.strides, c.pads};
    reference.activation.kind = fovea::ActivationKind::kRelu;
    const std::vector<float> expected = test::evaluated(reference, {picture(c, x)});
    for (const Strides& s : strides_for(c)) {
      const auto pool = [&](PoolArgs args) {
        args.activation = relu;
        return average_pool(args, false, stream());
      };
      test::expect_near(run(c, s, x, pool), expected, kAverageError, kAverageError);
    }
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

  const std::vector<Case> cases_{
      {1, 1, 1}, {2, 7, 31}, {3, 8, 32}, {1, 9, 33}, {1, 65, 3}, {2, 49, 2048}};

  template <typename Kernel>
  void compare(Kernel kernel, PoolKind kind, double error) {
    for (const Case& c : cases_) {
      const auto channels = static_cast<std::size_t>(c.c);
      std::vector<float> x =
          test::random_floats(static_cast<std::size_t>(c.n * c.pixels) * channels, 5);
      if (x.size() > 40) x[33] = std::numeric_limits<float>::quiet_NaN();
      const std::vector<float> expected = test::evaluated(
          GlobalPool{.kind = kind}, {{{DType::kFloat32, {c.n, c.pixels, 1, c.c}}, x}});
      for (const std::size_t extra : {std::size_t{0}, std::size_t{5}}) {
        const test::DeviceArray<float> from(test::spread(x, channels, channels + extra, extra / 2));
        const test::DeviceArray<float> to(static_cast<std::size_t>(c.n) * channels);

        ASSERT_EQ(kernel(from.data() + extra / 2,
                         static_cast<std::int64_t>(channels + extra),
                         to.data(),
                         c.n,
                         c.pixels,
                         c.c,
                         stream()),
                  cudaSuccess);

        test::expect_near(to.download(stream()), expected, error, error);
      }
    }
  }
};

TEST_P(GlobalPoolTest, AverageEqualsTheReference) {
  // 65 / 8 + 8 terms one after the other, of sums that may cancel: below 20 * 2^-24.
  compare(global_average_pool, PoolKind::kAverage, 1.2e-6);
}

TEST_P(GlobalPoolTest, MaximumEqualsTheReference) {
  compare(global_max_pool, PoolKind::kMax, 0);
}

TEST_P(GlobalPoolTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(32);
  const float* x = memory.data();
  float* y = memory.data() + 16;
  EXPECT_EQ(global_average_pool(x, 4, y, -1, 2, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(global_average_pool(x, 4, y, 65536, 2, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(global_average_pool(x, 4, y, 1, 0, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(global_average_pool(x, 4, y, 1, 2, 0, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(global_average_pool(x, 3, y, 1, 2, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(global_average_pool(x, 4, y, 0, 2, 4, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(PoolTest);
FOVEA_ON_EVERY_DEVICE_RUN(GlobalPoolTest);

}  // namespace
}  // namespace fovea::kernels
