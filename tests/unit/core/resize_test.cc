#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>

#include "engine/core/resample.h"
#include "tests/support/formula_picture.h"

namespace fovea {
namespace {

using test::formula_picture;
using test::pixel_hash;

PreprocessSpec spec(int height, int width, Interpolation how, Fit fit, int shorter_side = 0) {
  return {.height = height,
          .width = width,
          .interpolation = how,
          .fit = fit,
          .shorter_side = shorter_side};
}

PreprocessSpec crop_spec(int shorter_side, int height, int width) {
  return spec(height, width, Interpolation::kBilinear, Fit::kCentreCrop, shorter_side);
}

struct CropCase {
  int width;
  int height;
  PixelFormat format;
  int shorter_side;
  int out_height;
  int out_width;
  Interpolation interpolation;
  const char* sha256;
};

// Pillow 13.0.0, with picture() of tests/support/formula_picture.h:
//   w, h = (s, int(s * height / width)) if width <= height else (int(s * width / height), s)
//   left, top = round((w - out_width) / 2), round((h - out_height) / 2)
//   image = picture(width, height, kind).resize((w, h), Image.BILINEAR)
//   image = image.crop((left, top, left + out_width, top + out_height))
//   hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
TEST(Resize, CentreCropEqualsPillowAndTorchvisionsRounding) {
  const std::vector<CropCase> cases{
      {50,
       37,
       PixelFormat::kRgb8,
       32,
       28,
       28,
       Interpolation::kBilinear,
       "8b274fd84e0170fa158871f974314a7075c3ebbf078ac4f3441c927523d8f571"},
      {37,
       50,
       PixelFormat::kRgb8,
       32,
       28,
       28,
       Interpolation::kBicubic,
       "cdda0260c52aeb2a8534f3bc062eb421792f99dd5b456ee37b2fa6b36d2f4aaa"},
      {45,
       36,
       PixelFormat::kRgb8,
       33,
       28,
       26,
       Interpolation::kLanczos,
       "603b1018b84b708d6cf05866c932f85af44c9592a3a7397f50defca041c07305"},
      {36,
       45,
       PixelFormat::kGray8,
       31,
       28,
       28,
       Interpolation::kNearest,
       "e6e025e31299725ead60b595416959249ca3051cdfe4c303b9a54bbc0db98f08"},
      {64,
       64,
       PixelFormat::kRgb8,
       64,
       33,
       28,
       Interpolation::kBox,
       "0195cab65a95d2fd8dee47898ca8553e1ebd5d6969be315ffa3286c6511dad90"},
      {75,
       500,
       PixelFormat::kRgb8,
       40,
       28,
       28,
       Interpolation::kHamming,
       "a857fc1578fe087fd5c8ba38eeeff6c880fa09145fb87e30e87e49ad6ffd548e"},
      {41,
       31,
       PixelFormat::kGray16,
       29,
       28,
       24,
       Interpolation::kBilinear,
       "937f13978b7d8be9eef6823957b96738fd8b29e47cffb4873fa0a85ded3b6fee"},
      {20,
       13,
       PixelFormat::kRgb8,
       48,
       48,
       48,
       Interpolation::kBicubic,
       "351fb53819183c1ff94687b085ac5515d7956b5c783c3a2abc7ac1cad161dbc7"},
      {500,
       75,
       PixelFormat::kRgb8,
       40,
       28,
       28,
       Interpolation::kNearest,
       "1f081b85b90377835c1fe51b780b839412429b2f6af975b2ca09b8f9e16994c2"},
  };
  for (const CropCase& c : cases) {
    SCOPED_TRACE(testing::Message() << c.width << "x" << c.height << " shorter " << c.shorter_side);
    const Image image = formula_picture(c.width, c.height, c.format);

    const Image out =
        resize(image.view(),
               spec(c.out_height, c.out_width, c.interpolation, Fit::kCentreCrop, c.shorter_side));

    EXPECT_EQ(out.width(), c.out_width);
    EXPECT_EQ(out.height(), c.out_height);
    EXPECT_EQ(pixel_hash(out), c.sha256);
  }
}

TEST(Resize, CentreCropRoundsTheLongerSideDownAndHalfPixelsToEven) {
  const auto expect = [](int width, int height, const PreprocessSpec& s, std::array<int, 4> want) {
    const ResizeGeometry g = resize_geometry(width, height, s);
    EXPECT_EQ((std::array{g.width, g.height, g.left, g.top}), want) << width << "x" << height;
  };

  expect(500, 375, crop_spec(256, 224, 224), {341, 256, 58, 16});
  expect(375, 500, crop_spec(255, 224, 224), {255, 340, 16, 58});
  expect(50, 37, crop_spec(32, 28, 28), {43, 32, 8, 2});
  expect(45, 36, crop_spec(33, 28, 26), {41, 33, 8, 2});
  expect(224, 224, crop_spec(224, 224, 224), {224, 224, 0, 0});
}

// Real Keras 3.15: tests/golden compares pixels; this is the box alone.
TEST(Resize, KeepAspectRatioCutsTheBoxInIntegers) {
  const auto box = [](int width, int height, int out_height, int out_width) {
    const auto s = spec(out_height, out_width, Interpolation::kNearest, Fit::kKeepAspectRatio);
    return resize_geometry(width, height, s).box;
  };

  EXPECT_EQ(box(500, 375, 224, 224), (ResampleBox{62, 0, 437, 375}));
  EXPECT_EQ(box(375, 500, 224, 224), (ResampleBox{0, 62, 375, 437}));
  EXPECT_EQ(box(700, 466, 300, 100), (ResampleBox{272, 0, 427, 466}));
  EXPECT_EQ(box(100, 1, 100, 1), (ResampleBox{50, 0, 50, 1})) << "no whole pixel is left";
}

TEST(Resize, CopiesWithoutATargetSize) {
  const Image image = formula_picture(21, 9, PixelFormat::kGray16);

  const Image copy = resize(image.view(), PreprocessSpec{});

  EXPECT_EQ(copy.width(), 21);
  EXPECT_EQ(copy.height(), 9);
  EXPECT_EQ(pixel_hash(copy), pixel_hash(image));
}

TEST(Resize, RefusesSpecsWithoutMeaning) {
  const Image image = formula_picture(8, 6, PixelFormat::kRgb8);
  const auto run = [&](const PreprocessSpec& s) { (void)resize(image.view(), s); };

  EXPECT_THROW(run({.height = 224}), InvalidArgument);
  EXPECT_THROW(run({.height = 224, .width = -1}), InvalidArgument);
  EXPECT_THROW(run({.height = 16'385, .width = 8}), InvalidArgument);
  EXPECT_THROW(run(crop_spec(223, 224, 224)), InvalidArgument) << "the crop does not fit";
  EXPECT_THROW(run(crop_spec(0, 224, 224)), InvalidArgument);
  EXPECT_THROW((void)resize_geometry(16'384, 1, crop_spec(224, 224, 224)), InvalidArgument)
      << "3,670,016 pixels wide in between";
}

}  // namespace
}  // namespace fovea
