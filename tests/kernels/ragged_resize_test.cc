// The resizing kernels against ResizeImage's definition, which is Pillow's.
#include <bit>
#include <cstring>
#include <random>
#include <utility>

#include "engine/core/resample_axis.h"
#include "kernels/resize.h"
#include "tests/kernels/device_batch.h"

namespace fovea::kernels {
namespace {

using test::batch_of;
using test::RaggedBatch;
using test::Sizes;

constexpr std::array kFilters{Interpolation::kNearest,
                              Interpolation::kBilinear,
                              Interpolation::kBicubic,
                              Interpolation::kHamming,
                              Interpolation::kBox,
                              Interpolation::kLanczos};

/// One, two, three, lines, odd ones, a warp's and a block's, and the sizes of results below.
const Sizes kSizes{{1, 1},
                   {2, 3},
                   {3, 2},
                   {1, 33},
                   {47, 1},
                   {31, 17},
                   {32, 32},
                   {64, 48},
                   {7, 9},
                   {7, 40},
                   {25, 9},
                   {5, 90},
                   {33, 31}};

class RaggedResizeTest : public test::DeviceTest {
 protected:
  std::vector<std::uint8_t> resized(const PreprocessSpec& spec, const RaggedBatch& batch) {
    const test::DeviceBatch device(spec, batch);
    const test::DeviceArray<std::uint8_t> y(device.result_bytes());
    EXPECT_EQ(resize(device.args(), y.data(), stream()), cudaSuccess);
    return y.download(stream());
  }

  /// Compares picture by picture, so that a message says which.
  void expect_equals_definition(const PreprocessSpec& spec, const RaggedBatch& batch) {
    const std::vector<std::uint8_t> got = resized(spec, batch);
    const std::vector<std::uint8_t> want = test::evaluated(ResizeImage{spec}, batch);
    ASSERT_EQ(got.size(), want.size());
    const std::size_t bytes = got.size() / batch.size();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::size_t picture = i / bytes;
      ASSERT_EQ(got[i], want[i]) << to_string(spec.interpolation) << ", picture " << picture
                                 << " of " << batch.table[picture * 3] << "x"
                                 << batch.table[picture * 3 + 1] << " to " << spec.width << "x"
                                 << spec.height << ", byte " << i % bytes;
    }
  }
};

TEST_P(RaggedResizeTest, EveryFilterUpAndDownInBothColors) {
  for (const ColorMode color : {ColorMode::kRgb, ColorMode::kGrayscale}) {
    const RaggedBatch batch = batch_of(kSizes, color);
    for (const Interpolation filter : kFilters) {
      for (const auto& [width, height] : Sizes{{1, 1}, {2, 3}, {7, 9}, {33, 31}, {60, 1}}) {
        expect_equals_definition(
            {.height = height, .width = width, .interpolation = filter, .color = color}, batch);
      }
    }
  }
}

TEST_P(RaggedResizeTest, BoxesOfTheTargetsRatio) {
  const RaggedBatch batch = batch_of(kSizes, ColorMode::kRgb);
  for (const Interpolation filter : kFilters) {
    for (const auto& [width, height] : Sizes{{16, 16}, {7, 20}, {33, 11}}) {
      expect_equals_definition(
          {.height = height, .width = width, .interpolation = filter, .fit = Fit::kKeepAspectRatio},
          batch);
    }
  }
}

TEST_P(RaggedResizeTest, CropsOfTheCentre) {
  const RaggedBatch batch = batch_of(kSizes, ColorMode::kGrayscale);
  for (const Interpolation filter : kFilters) {
    // To its own size, too: 32 x 32 is only cut, 7 x 9 and 25 x 9 keep their shorter sides.
    for (const auto& [shorter, side] : Sizes{{32, 28}, {9, 9}, {7, 3}, {20, 11}}) {
      expect_equals_definition({.height = side,
                                .width = side - 1,
                                .interpolation = filter,
                                .fit = Fit::kCentreCrop,
                                .shorter_side = shorter,
                                .color = ColorMode::kGrayscale},
                               batch);
    }
  }
}

TEST_P(RaggedResizeTest, HugeRatiosAndTheLongestSides) {
  const Sizes sizes{{500, 7}, {6, 500}, {500, 400}, {16'384, 1}, {1, 16'384}};
  for (const ColorMode color : {ColorMode::kRgb, ColorMode::kGrayscale}) {
    const RaggedBatch batch = batch_of(sizes, color);
    for (const Interpolation filter : kFilters) {
      expect_equals_definition({.height = 2, .width = 3, .interpolation = filter, .color = color},
                               batch);
    }
  }
  const RaggedBatch small = batch_of({{1, 1}, {3, 2}, {16'384, 1}}, ColorMode::kGrayscale);
  for (const Interpolation filter : kFilters) {
    for (const auto& [width, height] : Sizes{{16'384, 1}, {1, 16'384}}) {
      expect_equals_definition({.height = height,
                                .width = width,
                                .interpolation = filter,
                                .color = ColorMode::kGrayscale},
                               small);
    }
  }
}

TEST_P(RaggedResizeTest, RandomBatches) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const auto uniform = [&random](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    Sizes sizes(static_cast<std::size_t>(uniform(1, 9)));
    for (auto& [width, height] : sizes) {
      width = uniform(1, 70);
      height = uniform(1, 70);
    }
    PreprocessSpec spec{.height = uniform(1, 40),
                        .width = uniform(1, 40),
                        .interpolation = kFilters.at(static_cast<std::size_t>(uniform(0, 5))),
                        .fit = static_cast<Fit>(uniform(0, 2)),
                        .color = static_cast<ColorMode>(uniform(0, 1))};
    if (spec.fit == Fit::kCentreCrop) {
      spec.shorter_side = std::max(spec.height, spec.width) + uniform(0, 9);
    }
    expect_equals_definition(spec, batch_of(sizes, spec.color));
  }
}

TEST_P(RaggedResizeTest, MoreTilesThanBlocks) {
  const PreprocessSpec spec{.height = 310,
                            .width = 1100,
                            .interpolation = Interpolation::kBilinear,
                            .color = ColorMode::kGrayscale};
  const RaggedBatch batch = batch_of({{5, 3}, {600, 300}, {4, 4}}, spec.color);
  ASSERT_FALSE(vertical_pass_first(600, 300, 1100, 310));
  expect_equals_definition(spec, batch);
}

// A captured launch keeps its arguments: only what the table and the pixels hold may differ.
TEST_P(RaggedResizeTest, TheSameArgumentsServeAnotherBatch) {
  const PreprocessSpec spec{.height = 9, .width = 12, .interpolation = Interpolation::kBicubic};
  const RaggedBatch first = batch_of({{40, 30}, {12, 30}, {9, 50}}, spec.color);
  const RaggedBatch second = batch_of({{12, 9}, {8, 40}, {31, 5}}, spec.color);
  const cuda::PictureLimits limits{3, 40, 50};
  const cuda::PictureTableBytes most = cuda::most_picture_table_bytes(spec, limits);
  const test::DeviceArray<std::uint8_t> pixels(std::size_t{3} * 40 * 50 * 3);
  const test::DeviceArray<std::byte> table(most.table);
  const test::DeviceArray<std::uint8_t> workspace(most.workspace);
  const test::DeviceArray<std::uint8_t> y(std::size_t{3} * 9 * 12 * 3);
  const ResizeArgs args{.pixels = pixels.data(),
                        .table = reinterpret_cast<const ResizePicture*>(table.data()),
                        .workspace = workspace.data(),
                        .workspace_bytes = most.workspace,
                        .n = 3,
                        .height = 9,
                        .width = 12};
  for (const RaggedBatch* batch : {&first, &second, &first}) {
    const test::HostTable host(spec, *batch);
    auto* to = reinterpret_cast<std::byte*>(pixels.data());
    const auto* from = reinterpret_cast<const std::byte*>(batch->pixels.data());
    cuda::copy_to_device(to, from, batch->pixels.size(), stream());
    cuda::copy_to_device(table.data(), host.bytes.data(), host.bytes.size(), stream());

    ASSERT_EQ(resize(args, y.data(), stream()), cudaSuccess);

    EXPECT_EQ(y.download(stream()), test::evaluated(ResizeImage{spec}, *batch));
  }
}

// Bases far below the buffers, and offsets that lead into them: nothing is cut to 32 bits.
TEST_P(RaggedResizeTest, OffsetsBeyond32Bits) {
  constexpr std::int64_t kFar = (std::int64_t{5} << 32) + 64;
  const PreprocessSpec spec{.height = 5, .width = 8, .interpolation = Interpolation::kLanczos};
  for (const Sizes& sizes : {Sizes{{20, 11}, {9, 40}}, Sizes{{8, 20}, {20, 5}}}) {
    const RaggedBatch batch = batch_of(sizes, spec.color);
    test::HostTable host(spec, batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ResizePicture picture;
      std::memcpy(&picture, host.bytes.data() + i * sizeof picture, sizeof picture);
      picture.pixels += kFar;
      picture.between += kFar;
      std::memcpy(host.bytes.data() + i * sizeof picture, &picture, sizeof picture);
    }
    const test::DeviceBatch device(spec, batch);
    const test::DeviceArray<std::byte> table(host.bytes);
    const auto below = [](const std::uint8_t* address) {
      return std::bit_cast<std::uint8_t*>(std::bit_cast<std::uintptr_t>(address) - kFar);
    };
    ResizeArgs args = device.args();
    args.table = reinterpret_cast<const ResizePicture*>(table.data());
    args.pixels = below(args.pixels);
    args.workspace = below(args.workspace);
    const test::DeviceArray<std::uint8_t> y(device.result_bytes());

    ASSERT_EQ(resize(args, y.data(), stream()), cudaSuccess);

    EXPECT_EQ(y.download(stream()), test::evaluated(ResizeImage{spec}, batch));
  }
}

TEST_P(RaggedResizeTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<std::uint8_t> y(12);
  const test::DeviceBatch device({.height = 2, .width = 2}, batch_of({{2, 2}}, ColorMode::kRgb));
  for (const auto& break_it :
       std::vector<void (*)(ResizeArgs&)>{[](ResizeArgs& a) { a.n = -1; },
                                          [](ResizeArgs& a) { a.n = std::int64_t{1} << 31; },
                                          [](ResizeArgs& a) { a.height = 0; },
                                          [](ResizeArgs& a) { a.height = 16'385; },
                                          [](ResizeArgs& a) { a.width = 0; },
                                          [](ResizeArgs& a) { a.width = 16'385; },
                                          [](ResizeArgs& a) { a.channels = 2; },
                                          [](ResizeArgs& a) { a.channels = 4; }}) {
    ResizeArgs bad = device.args();
    break_it(bad);
    EXPECT_EQ(resize(bad, y.data(), stream()), cudaErrorInvalidValue);
  }
  ResizeArgs nothing = device.args();
  nothing.n = 0;
  EXPECT_EQ(resize(nothing, y.data(), stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(RaggedResizeTest);

}  // namespace
}  // namespace fovea::kernels
