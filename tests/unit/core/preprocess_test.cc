#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>
#include <fovea/preprocess.h>

#include "engine/core/normalize.h"
#include "tests/support/formula_picture.h"

namespace fovea {
namespace {

using test::formula_picture;

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "did not throw InvalidArgument";
}

TEST(PreprocessText, IsTheInverseOfParsing) {
  for (const auto* word : {"nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"}) {
    EXPECT_EQ(to_string(parse_interpolation(word)), word);
  }
  for (const auto* word : {"stretch", "keep-aspect-ratio", "centre-crop"}) {
    EXPECT_EQ(to_string(parse_fit(word)), word);
  }
  for (const auto* word : {"rgb", "grayscale"}) EXPECT_EQ(to_string(parse_color_mode(word)), word);
  for (const auto* word : {"none", "caffe", "tf", "torch", "unit"}) {
    EXPECT_EQ(to_string(parse_normalization(word)), word);
  }
}

TEST(PreprocessText, BelongsToTheRightValue) {
  EXPECT_EQ(parse_interpolation("box"), Interpolation::kBox);
  EXPECT_EQ(parse_interpolation("hamming"), Interpolation::kHamming);
  EXPECT_EQ(parse_fit("keep-aspect-ratio"), Fit::kKeepAspectRatio);
  EXPECT_EQ(parse_color_mode("grayscale"), ColorMode::kGrayscale);
  EXPECT_EQ(parse_normalization("torch"), Normalization::kTorch);
}

TEST(PreprocessText, RefusesOtherWordsAndListsTheRightOnes) {
  EXPECT_EQ(message_of([] { (void)parse_interpolation("Bilinear"); }),
            "'Bilinear' is no interpolation; use one of: nearest, bilinear, bicubic, hamming, box, "
            "lanczos");
  EXPECT_EQ(message_of([] { (void)parse_fit(""); }),
            "'' is no fit; use one of: stretch, keep-aspect-ratio, centre-crop");
  EXPECT_EQ(message_of([] { (void)parse_color_mode("rgba"); }),
            "'rgba' is no color mode; use one of: rgb, grayscale");
  EXPECT_EQ(message_of([] { (void)parse_normalization("cafe"); }),
            "'cafe' is no normalization; use one of: none, caffe, tf, torch, unit");
}

/// What a mode makes of the pixel (10, 200, 255).
std::array<float, 3> normalized(Normalization mode) {
  const std::array<std::uint8_t, 3> pixel{10, 200, 255};
  std::array<float, 3> out{};
  normalize({.data = pixel.data(), .width = 1, .height = 1, .stride = 3}, mode, out);
  return out;
}

TEST(Normalize, RoundsAfterEveryStep) {
  using Pixel = std::array<float, 3>;
  EXPECT_EQ(normalized(Normalization::kNone), (Pixel{10.0F, 200.0F, 255.0F}));
  EXPECT_EQ(normalized(Normalization::kCaffe),
            (Pixel{255.0F - 103.939F, 200.0F - 116.779F, 10.0F - 123.68F}));
  EXPECT_EQ(normalized(Normalization::kTf),
            (Pixel{10.0F / 127.5F - 1.0F, 200.0F / 127.5F - 1.0F, 255.0F / 127.5F - 1.0F}));
  EXPECT_EQ(normalized(Normalization::kTorch),
            (Pixel{(10.0F / 255.0F - 0.485F) / 0.229F,
                   (200.0F / 255.0F - 0.456F) / 0.224F,
                   (255.0F / 255.0F - 0.406F) / 0.225F}));
  EXPECT_EQ(normalized(Normalization::kUnit), (Pixel{10.0F / 255.0F, 200.0F / 255.0F, 1.0F}));
}

TEST(Normalize, ReadsRowsThatAreNotPacked) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 99, 99, 4, 5, 6};
  std::array<float, 6> out{};

  normalize(
      {.data = bytes.data(), .width = 1, .height = 2, .stride = 5}, Normalization::kNone, out);

  EXPECT_EQ(out, (std::array<float, 6>{1, 2, 3, 4, 5, 6}));
}

TEST(Normalize, TakesGrayWhereOneConstantIsMeant) {
  const std::array<std::uint8_t, 2> pixels{0, 255};
  const ImageView gray{
      .data = pixels.data(), .width = 2, .height = 1, .stride = 2, .format = PixelFormat::kGray8};
  std::array<float, 2> out{};

  normalize(gray, Normalization::kTf, out);
  EXPECT_EQ(out, (std::array{-1.0F, 1.0F}));
  normalize(gray, Normalization::kUnit, out);
  EXPECT_EQ(out, (std::array{0.0F, 1.0F}));

  for (const Normalization mode : {Normalization::kCaffe, Normalization::kTorch}) {
    EXPECT_NE(message_of([&] { normalize(gray, mode, out); }).find("load it as rgb"),
              std::string::npos);
  }
}

TEST(Normalize, RefusesSixteenBitsAndWrongSizes) {
  const Image wide = formula_picture(2, 2, PixelFormat::kGray16);
  const Image rgb = formula_picture(2, 2, PixelFormat::kRgb8);
  std::vector<float> out(12);

  EXPECT_NO_THROW(normalize(rgb.view(), Normalization::kNone, out));
  EXPECT_THROW(normalize(wide.view(), Normalization::kNone, out), InvalidArgument);
  EXPECT_EQ(
      message_of([&] { normalize(rgb.view(), Normalization::kNone, std::span(out).first(11)); }),
      "the picture has 12 values, but the output has room for 11");
}

TEST(NormalizationTable, PadsChannelsWithZeros) {
  const NormalizationTable table(normalization_constants(Normalization::kCaffe));
  const std::array<std::uint8_t, 6> pixels{1, 2, 3, 4, 5, 6};
  std::vector<float> out(8, -1.0F);

  table.apply(pixels.data(), 2, 3, out.data(), 4);

  const std::vector<float> expected{3.0F - 103.939F,
                                    2.0F - 116.779F,
                                    1.0F - 123.68F,
                                    0.0F,
                                    6.0F - 103.939F,
                                    5.0F - 116.779F,
                                    4.0F - 123.68F,
                                    0.0F};
  EXPECT_EQ(out, expected);
}

TEST(Image, RefusesSidesBelowOne) {
  EXPECT_THROW(Image(0, 4, PixelFormat::kRgb8), InvalidArgument);
  EXPECT_THROW(Image(4, -1, PixelFormat::kRgb8), InvalidArgument);
  EXPECT_EQ(Image(4, 3, PixelFormat::kGray16).bytes(), 24U);
}

}  // namespace
}  // namespace fovea
