#include "engine/graph/ops/window.h"

#include <gtest/gtest.h>

#include <fovea/error.h>

namespace fovea {
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 31;

/// Starts a window at every position until one sticks out.
std::int64_t count_positions(std::int64_t padded, std::int64_t reach, std::int64_t stride) {
  std::int64_t count = 0;
  for (std::int64_t start = 0; start + reach <= padded; start += stride) ++count;
  return count;
}

TEST(WindowPositions, CountsEveryWindowThatFits) {
  for (std::int64_t size = 1; size <= 12; ++size) {
    for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
      for (std::int64_t stride = 1; stride <= 4; ++stride) {
        for (std::int64_t dilation = 1; dilation <= 3; ++dilation) {
          for (std::int64_t before = 0; before <= 2; ++before) {
            const std::int64_t after = 2 * before / 3 + 1;
            EXPECT_EQ(window_positions(size, before, after, kernel, stride, dilation),
                      count_positions(size + before + after, (kernel - 1) * dilation + 1, stride))
                << size << ' ' << kernel << ' ' << stride << ' ' << dilation << ' ' << before;
          }
        }
      }
    }
  }
}

TEST(WindowPositions, KnowsTheLayersOfResNet50) {
  EXPECT_EQ(window_positions(224, 3, 3, 7, 2), 112);
  EXPECT_EQ(window_positions(112, 1, 1, 3, 2), 56);
  EXPECT_EQ(window_positions(56, 0, 0, 1, 2), 28);
}

TEST(WindowPositions, AreNoneWhereTheWindowDoesNotFit) {
  EXPECT_EQ(window_positions(3, 0, 0, 4, 1), 0);
  EXPECT_EQ(window_positions(3, 0, 0, 2, 5, 3), 0);
  EXPECT_EQ(window_positions(3, 0, 1, 2, 5, 3), 1);
}

TEST(WindowPositions, RefusesWhatWouldOverflow) {
  EXPECT_THROW((void)window_positions(0, 0, 0, 1, 1), InvalidArgument);
  EXPECT_THROW((void)window_positions(kHuge, 0, 0, 1, 1), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, -1, 0, 1, 1), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, 0, kHuge, 1, 1), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, 0, 0, 0, 1), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, 0, 0, kHuge, 1), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, 0, 0, 1, 0), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, 0, 0, 1, 1, 0), InvalidArgument);
  EXPECT_THROW((void)window_positions(4, 0, 0, 1, 1, kHuge), InvalidArgument);
  EXPECT_EQ(window_positions(kHuge - 1, kHuge - 1, kHuge - 1, kHuge - 1, 1, kHuge - 1), 0);
}

struct Same {
  std::int64_t size, kernel, stride, dilation, before, after;
};

TEST(SamePadding, KnowsTheLayersOfTheZoo) {
  // Sides and windows of Xception, InceptionResNetV2, VGG16, MobileNet and NASNet with "same".
  for (const Same& same : {Same{74, 3, 2, 1, 0, 1},
                           Same{147, 3, 2, 1, 1, 1},
                           Same{37, 3, 2, 1, 1, 1},
                           Same{19, 3, 2, 1, 1, 1},
                           Same{224, 3, 1, 1, 1, 1},
                           Same{224, 3, 2, 1, 0, 1},
                           Same{112, 5, 2, 1, 1, 2},
                           Same{35, 5, 1, 1, 2, 2},
                           Same{17, 7, 1, 1, 3, 3},
                           Same{56, 1, 2, 1, 0, 0},
                           Same{10, 3, 1, 4, 4, 4}}) {
    const auto pads = same_padding(same.size, same.kernel, same.stride, same.dilation);
    EXPECT_EQ(pads[0], same.before) << same.size << ' ' << same.kernel << ' ' << same.stride;
    EXPECT_EQ(pads[1], same.after) << same.size << ' ' << same.kernel << ' ' << same.stride;
  }
}

TEST(SamePadding, IsTheLeastThatGivesEveryPosition) {
  for (std::int64_t size = 1; size <= 80; ++size) {
    for (std::int64_t kernel = 1; kernel <= 8; ++kernel) {
      for (std::int64_t stride = 1; stride <= 5; ++stride) {
        for (std::int64_t dilation = 1; dilation <= 3; ++dilation) {
          SCOPED_TRACE(testing::Message()
                       << size << ' ' << kernel << ' ' << stride << ' ' << dilation);
          const std::int64_t reach = (kernel - 1) * dilation + 1;
          const std::int64_t wanted = (size + stride - 1) / stride;

          const auto [before, after] = same_padding(size, kernel, stride, dilation);

          const std::int64_t total = before + after;
          ASSERT_GE(before, 0);
          ASSERT_TRUE(after == before || after == before + 1);
          ASSERT_GE(count_positions(size + total, reach, stride), wanted);
          if (total > 0) {
            ASSERT_LT(count_positions(size + total - 1, reach, stride), wanted);
          }
        }
      }
    }
  }
}

TEST(SamePadding, RefusesWhatWouldOverflow) {
  EXPECT_THROW((void)same_padding(0, 1, 1), InvalidArgument);
  EXPECT_THROW((void)same_padding(4, 0, 1), InvalidArgument);
  EXPECT_THROW((void)same_padding(4, kHuge, 1), InvalidArgument);
  EXPECT_THROW((void)same_padding(4, 1, 0), InvalidArgument);
  EXPECT_THROW((void)same_padding(4, 1, 1, kHuge), InvalidArgument);
}

TEST(CeilModePadding, KnowsTheLayersOfCaffeNetworks) {
  // GoogLeNet and SqueezeNet: 112 -> 56, 56 -> 28, 28 -> 14, 14 -> 7; 111 -> 55, 55 -> 27, 27
  // -> 13.
  for (const std::int64_t size : {112, 56, 28, 14}) {
    EXPECT_EQ(ceil_mode_padding(size, 0, 0, 3, 2), 1) << size;
  }
  for (const std::int64_t size : {111, 55, 27, 13}) {
    EXPECT_EQ(ceil_mode_padding(size, 0, 0, 3, 2), 0) << size;
  }
  EXPECT_EQ(ceil_mode_padding(112, 1, 1, 3, 2), 2);
  EXPECT_EQ(ceil_mode_padding(112, 0, 0, 2, 2), 0);
  EXPECT_EQ(ceil_mode_padding(113, 0, 0, 2, 2), 1);
}

void expect_every_window(std::int64_t size,
                         std::int64_t before,
                         std::int64_t after,
                         std::int64_t kernel,
                         std::int64_t stride) {
  SCOPED_TRACE(testing::Message() << size << ' ' << kernel << ' ' << stride << ' ' << before << ' '
                                  << after);
  // Windows that reach less than `stride` beyond the padding are rounded up to.
  std::int64_t wanted = 0;
  for (std::int64_t start = -before; start < size; start += stride) {
    if (start + kernel < size + after + stride) ++wanted;
  }

  const std::int64_t padding = ceil_mode_padding(size, before, after, kernel, stride);

  if (wanted == 0) {
    EXPECT_EQ(padding, after);
  } else {
    EXPECT_LT(padding, kernel);
  }
  EXPECT_EQ(window_positions(size, before, padding, kernel, stride), wanted);
}

TEST(CeilModePadding, GivesEveryWindowThatStartsOnThePicture) {
  for (std::int64_t size = 1; size <= 9; ++size) {
    for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
      for (std::int64_t stride = 1; stride <= 6; ++stride) {
        for (std::int64_t before = 0; before < kernel; ++before) {
          for (std::int64_t after = 0; after <= kernel + 1; ++after) {
            expect_every_window(size, before, after, kernel, stride);
          }
        }
      }
    }
  }
}

TEST(CeilModePadding, RefusesWhatWouldOverflow) {
  EXPECT_THROW((void)ceil_mode_padding(0, 0, 0, 1, 1), InvalidArgument);
  EXPECT_THROW((void)ceil_mode_padding(4, -1, 0, 1, 1), InvalidArgument);
  EXPECT_THROW((void)ceil_mode_padding(4, 0, kHuge, 1, 1), InvalidArgument);
  EXPECT_THROW((void)ceil_mode_padding(4, 0, 0, 0, 1), InvalidArgument);
  EXPECT_THROW((void)ceil_mode_padding(4, 0, 0, 1, 0), InvalidArgument);
}

TEST(TapsInside, AreTheElementsOnThePicture) {
  for (std::int64_t size = 1; size <= 6; ++size) {
    for (std::int64_t start = -9; start <= 9; ++start) {
      for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
        for (std::int64_t dilation = 1; dilation <= 3; ++dilation) {
          const Taps taps = taps_inside(size, start, kernel, dilation);
          for (std::int64_t k = 0; k < kernel; ++k) {
            const std::int64_t at = start + k * dilation;
            EXPECT_EQ(taps.begin <= k && k < taps.end, at >= 0 && at < size)
                << size << ' ' << start << ' ' << kernel << ' ' << dilation << ' ' << k;
          }
          EXPECT_GE(taps.begin, 0);
          EXPECT_LE(taps.end, kernel);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fovea
