#include "kernels/convolution.h"

#include <algorithm>

#include "tests/kernels/convolution_case.h"

namespace fovea::kernels {
namespace {

using test::ConvolutionCase;

constexpr ConvolutionTile kTiles[] = {ConvolutionTile::kSimt64x64,
                                      ConvolutionTile::kSimt128x128,
                                      ConvolutionTile::kMma64x64,
                                      ConvolutionTile::kMma128x64,
                                      ConvolutionTile::kMma128x128};

class ConvolutionTest : public test::DeviceTest {
 protected:
  /// Every tile, for every type.
  void expect_all(const ConvolutionCase& c) {
    for (const ConvolutionTile tile : kTiles) {
      if (uses_tensor_cores(tile) && c.args.input_relu) continue;
      test::expect_convolution<float>(c, tile, stream());
      test::expect_convolution<__half>(c, tile, stream());
      test::expect_convolution<__nv_bfloat16>(c, tile, stream());
      if (HasFatalFailure()) return;
    }
  }
};

/// 1 x 1 windows over a line of pixels: a plain product of matrices.
ConvolutionCase product(int pixels, int filters, int channels) {
  return {.name = std::to_string(pixels) + " x " + std::to_string(filters) + " x " +
                  std::to_string(channels),
          .args = {.n = 1, .h = 1, .w = pixels, .c = channels, .filters = filters}};
}

// One below, at and above the sizes of tiles, stages (8 to 32 channels) and all stages together.
TEST_P(ConvolutionTest, EqualsTheDefinitionAtEveryEdgeOfATile) {
  for (const auto& [pixels, filters, channels] : {std::array{1, 1, 1},
                                                  std::array{63, 65, 7},
                                                  std::array{64, 64, 8},
                                                  std::array{65, 63, 9},
                                                  std::array{64, 64, 32},
                                                  std::array{127, 129, 31},
                                                  std::array{128, 128, 64},
                                                  std::array{129, 127, 33},
                                                  std::array{3, 5, 127},
                                                  std::array{17, 12, 128},
                                                  std::array{17, 12, 136},
                                                  std::array{9, 4, 161}}) {
    expect_all(product(pixels, filters, channels));
  }
}

TEST_P(ConvolutionTest, EqualsTheDefinitionForEveryWindow) {
  const ConvolutionArgs picture{.n = 2, .h = 7, .w = 6, .c = 8, .filters = 12};
  const auto window = [&](const char* name, auto change) {
    ConvolutionCase c{.name = name, .args = picture};
    change(c);
    return c;
  };
  const auto three_by_three = [](ConvolutionCase& c) {
    c.args.kernel_h = c.args.kernel_w = 3;
    c.args.pad_top = c.args.pad_left = c.pad_bottom = c.pad_right = 1;
  };
  expect_all(window("3x3", three_by_three));
  expect_all(window("3x3 of 3 channels, stride 2", [&](ConvolutionCase& c) {
    three_by_three(c);
    c.args.c = 3;
    c.args.stride_h = c.args.stride_w = 2;
  }));
  expect_all(window("2x5, strides 1 and 3, padded behind only", [](ConvolutionCase& c) {
    c.args.kernel_h = 2;
    c.args.kernel_w = 5;
    c.args.stride_w = 3;
    c.pad_bottom = 1;
    c.pad_right = 2;
  }));
  expect_all(window("3x3, dilated by 2 and 3, padded unevenly", [&](ConvolutionCase& c) {
    three_by_three(c);
    c.args.dilation_h = 2;
    c.args.dilation_w = 3;
    c.args.pad_top = 3;
    c.pad_right = 4;
  }));
  expect_all(window("windows wholly in the padding", [](ConvolutionCase& c) {
    c.args.pad_left = 2;
    c.pad_bottom = 2;
  }));
  expect_all(window("the whole picture", [](ConvolutionCase& c) {
    c.args.kernel_h = 7;
    c.args.kernel_w = 6;
  }));
}

TEST_P(ConvolutionTest, KeepsGroupsApart) {
  for (const auto& [groups, channels, filters] : {std::array{2, 16, 8},
                                                  std::array{3, 9, 6},
                                                  std::array{4, 32, 20},
                                                  std::array{8, 8, 8},
                                                  std::array{2, 16, 132}}) {
    ConvolutionCase c{.name = std::to_string(groups) + " groups",
                      .args = {.n = 1,
                               .h = 5,
                               .w = 4,
                               .c = channels,
                               .filters = filters,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .pad_top = 1,
                               .pad_left = 1,
                               .groups = groups},
                      .pad_bottom = 1,
                      .pad_right = 1};
    expect_all(c);
  }
}

TEST_P(ConvolutionTest, ReadsAndWritesSlices) {
  for (const auto& [extra, offset, filters] : {std::array<std::size_t, 3>{24, 8, 20},
                                               std::array<std::size_t, 3>{24, 4, 20},
                                               std::array<std::size_t, 3>{8, 3, 20},
                                               std::array<std::size_t, 3>{5, 2, 20},
                                               std::array<std::size_t, 3>{24, 16, 19}}) {
    ConvolutionCase c{.name = "slice at " + std::to_string(offset),
                      .args = {.n = 2,
                               .h = 4,
                               .w = 5,
                               .c = 16,
                               .filters = static_cast<int>(filters),
                               .kernel_h = 3,
                               .kernel_w = 2,
                               .pad_top = 1},
                      .pad_bottom = 1,
                      .residual = true,
                      .extra = extra,
                      .offset = offset};
    expect_all(c);
    c.in_place = true;
    expect_all(c);
  }
}

TEST_P(ConvolutionTest, AddsAndActivatesInOrder) {
  for (const auto kind : {ActivationKind::kNone,
                          ActivationKind::kRelu,
                          ActivationKind::kClip,
                          ActivationKind::kTanh,
                          ActivationKind::kSigmoid}) {
    for (const bool residual : {false, true}) {
      for (const int activated : {0, 5}) {
        if (kind == ActivationKind::kNone && activated != 0) continue;
        ConvolutionCase c = product(10, 12, 8);
        c.bias = !residual || activated != 0;
        c.residual = residual;
        c.args.activation = {.kind = kind, .lo = -0.5F, .hi = 2.0F};
        c.args.activation_channels = activated;
        expect_all(c);
      }
    }
  }
}

TEST_P(ConvolutionTest, AppliesReluToWhatItReads) {
  ConvolutionCase c = product(10, 12, 24);
  c.args.input_relu = true;
  expect_all(c);
}

TEST_P(ConvolutionTest, KeepsNan) {
  for (const ConvolutionTile tile : kTiles) {
    ConvolutionCase c = product(3, 4, 8);
    c.args.activation.kind = ActivationKind::kRelu;
    test::ConvolutionOperands on = test::operands_of<float>(c);
    on.x[9] = std::numeric_limits<float>::quiet_NaN();

    const std::vector<float> y = test::run_convolution<float>(c, on, tile, stream());

    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i / 4 == 1) << i;
  }
}

TEST_P(ConvolutionTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(1024);
  const ConvolutionArgs good{.x = memory.data(),
                             .weights = memory.data() + 256,
                             .residual = memory.data() + 768,
                             .y = memory.data() + 512,
                             .x_stride = 4,
                             .residual_stride = 4,
                             .y_stride = 4,
                             .n = 1,
                             .h = 3,
                             .w = 3,
                             .c = 4,
                             .out_h = 3,
                             .out_w = 3,
                             .filters = 4};
  ASSERT_EQ(convolution(good, ConvolutionTile::kSimt64x64, stream()), cudaSuccess);
  for (const auto& break_it : std::vector<void (*)(ConvolutionArgs&)>{
           [](ConvolutionArgs& a) { a.n = -1; },
           [](ConvolutionArgs& a) { a.h = 0; },
           [](ConvolutionArgs& a) { a.w = 0; },
           [](ConvolutionArgs& a) { a.c = 0; },
           [](ConvolutionArgs& a) { a.out_h = 0; },
           [](ConvolutionArgs& a) { a.out_w = 0; },
           [](ConvolutionArgs& a) { a.filters = 0; },
           [](ConvolutionArgs& a) { a.kernel_h = 0; },
           [](ConvolutionArgs& a) { a.kernel_w = 1 << 29; },
           [](ConvolutionArgs& a) { a.stride_h = 0; },
           [](ConvolutionArgs& a) { a.dilation_w = 0; },
           [](ConvolutionArgs& a) { a.pad_top = -1; },
           [](ConvolutionArgs& a) { a.groups = 3; },
           [](ConvolutionArgs& a) { a.groups = 0; },
           [](ConvolutionArgs& a) { a.activation_channels = 5; },
           [](ConvolutionArgs& a) { a.x_stride = 3; },
           [](ConvolutionArgs& a) { a.residual_stride = 3; },
           [](ConvolutionArgs& a) { a.y_stride = 3; },
           [](ConvolutionArgs& a) { a.n = (1 << 30) / 9 + 1; },
           [](ConvolutionArgs& a) { a.stride_w = (1 << 28) / 3 + 1; },
           [](ConvolutionArgs& a) { a.weights = static_cast<const float*>(a.weights) + 1; }}) {
    ConvolutionArgs bad = good;
    break_it(bad);
    EXPECT_EQ(convolution(bad, ConvolutionTile::kSimt64x64, stream()), cudaErrorInvalidValue);
  }
  ConvolutionArgs relu = good;
  relu.input_relu = true;
  EXPECT_EQ(convolution(relu, ConvolutionTile::kMma64x64, stream()), cudaErrorInvalidValue);
  ConvolutionArgs nothing = good;
  nothing.n = 0;
  for (const ConvolutionTile tile : kTiles) {
    EXPECT_EQ(convolution(nothing, tile, stream()), cudaSuccess);
  }
}

FOVEA_ON_EVERY_DEVICE_RUN(ConvolutionTest);

ConvolutionArgs layer(int n, int size, int channels, int filters) {
  return {.n = n,
          .h = size,
          .w = size,
          .c = channels,
          .out_h = size,
          .out_w = size,
          .filters = filters};
}

TEST(ConvolutionTiles, AreLargeWhereThereIsEnoughToDo) {
  const auto tiles = convolution_tiles(layer(64, 28, 256, 512));

  ASSERT_EQ(tiles.size(), std::size(kTiles));
  EXPECT_EQ(tiles.front(), ConvolutionTile::kMma128x128);
  EXPECT_EQ(tiles.back(), ConvolutionTile::kSimt64x64);
}

TEST(ConvolutionTiles, AreSmallWhereLargeOnesLeaveADeviceIdle) {
  const auto tiles = convolution_tiles(layer(1, 14, 256, 512));

  ASSERT_EQ(tiles.size(), std::size(kTiles));
  EXPECT_EQ(tiles.front(), ConvolutionTile::kMma64x64);
}

TEST(ConvolutionTiles, AreNotMoreThanTwiceTooLarge) {
  const std::vector<ConvolutionTile> small{ConvolutionTile::kMma64x64, ConvolutionTile::kSimt64x64};
  EXPECT_EQ(convolution_tiles(layer(1, 8, 16, 512)), small);

  const auto narrow = convolution_tiles(layer(8, 28, 16, 64));
  EXPECT_EQ(std::ranges::count(narrow, ConvolutionTile::kMma128x64), 1);
  EXPECT_EQ(std::ranges::count(narrow, ConvolutionTile::kMma128x128), 0);
}

TEST(ConvolutionTiles, KnowWhatTheyCannotCompute) {
  ConvolutionArgs relu = layer(1, 8, 16, 16);
  relu.input_relu = true;
  EXPECT_EQ(convolution_tiles(relu), std::vector{ConvolutionTile::kSimt64x64});
  EXPECT_TRUE(convolution_tiles(layer(1, 0, 16, 16)).empty());
}

}  // namespace
}  // namespace fovea::kernels
