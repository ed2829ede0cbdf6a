#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>

#include "engine/graph/ops/cast.h"
#include "engine/graph/ops/normalize_image.h"
#include "engine/graph/ops/resize_image.h"
#include "engine/graph/ops/resize_normalize.h"
#include "tests/support/formula_picture.h"
#include "tests/support/ragged_batch.h"

namespace fovea {
namespace {

using test::evaluated;
using test::formula_picture;
using test::RaggedBatch;

TEST(ResizeImage, ResizesEveryPictureOfARaggedBatch) {
  const ResizeImage op{
      {.height = 7, .width = 9, .interpolation = Interpolation::kBilinear, .fit = Fit::kStretch}};
  const std::array images{formula_picture(31, 17, PixelFormat::kRgb8),
                          formula_picture(5, 40, PixelFormat::kRgb8)};
  RaggedBatch batch;
  for (const Image& image : images) batch.add(image);

  const std::vector<std::uint8_t> out = evaluated(op, batch);

  std::vector<std::uint8_t> expected;
  for (const Image& image : images) {
    const Image resized = resize(image.view(), op.spec);
    expected.insert(expected.end(), resized.data(), resized.data() + resized.bytes());
  }
  EXPECT_EQ(out, expected);
}

/// Of a crop a picture that has the result's size already would otherwise lose its border.
TEST(ResizeImage, TakesWhatIsResizedAsItIs) {
  const ResizeImage op{{.height = 7,
                        .width = 9,
                        .interpolation = Interpolation::kBilinear,
                        .fit = Fit::kCentreCrop,
                        .shorter_side = 20}};
  const Image large = formula_picture(31, 17, PixelFormat::kRgb8);
  RaggedBatch as_it_is;
  as_it_is.add(large);
  as_it_is.add(formula_picture(40, 25, PixelFormat::kRgb8));
  RaggedBatch resized = as_it_is;
  const Image small = resize(large.view(), op.spec);
  resized.table[0] = resized.table[1] = 0;
  resized.table[2] = static_cast<std::int64_t>(resized.pixels.size());
  resized.pixels.insert(resized.pixels.end(), small.data(), small.data() + small.bytes());

  EXPECT_EQ(evaluated(op, resized), evaluated(op, as_it_is));

  resized.pixels.pop_back();
  EXPECT_THROW((void)evaluated(op, resized), InvalidArgument);
}

TEST(ResizeImage, PixelsMayHaveARowForEveryPicture) {
  const ResizeImage op{{.height = 2, .width = 2}};
  const auto infer = [&](const Shape& pixels, std::int64_t pictures) {
    return op.infer(
        std::array{TensorDesc{DType::kUInt8, pixels}, TensorDesc{DType::kInt64, {pictures, 3}}});
  };

  EXPECT_EQ(infer({kBatch, 100}, kBatch).at(0), (TensorDesc{DType::kUInt8, {kBatch, 2, 2, 3}}));
  EXPECT_NO_THROW((void)infer({5, 100}, 5));
  EXPECT_THROW((void)infer({4, 100}, 5), InvalidArgument);
  EXPECT_THROW((void)infer({kBatch, 100}, 5), InvalidArgument);
  EXPECT_THROW((void)infer({5, 10, 10}, 5), InvalidArgument);
}

/// What three operators give one after the other.
TEST(ResizeNormalize, IsResizeImageAndNormalizeImageAndACast) {
  const PreprocessSpec spec{.height = 6, .width = 5, .interpolation = Interpolation::kBicubic};
  const RaggedBatch batch = test::batch_of({{31, 17}, {1, 1}, {5, 6}}, spec.color);
  const std::array inputs{
      TensorDesc{DType::kUInt8, {static_cast<std::int64_t>(batch.pixels.size())}},
      TensorDesc{DType::kInt64, {3, 3}}};
  const std::array views{
      ConstTensorView{inputs.data(), std::as_bytes(std::span(batch.pixels)).data()},
      ConstTensorView{&inputs[1], std::as_bytes(std::span(batch.table)).data()}};
  const std::vector<std::uint8_t> resized = evaluated(ResizeImage{spec}, batch);
  const TensorDesc bytes{DType::kUInt8, {3, 6, 5, 3}};
  const auto constants = normalization_constants(Normalization::kCaffe);

  for (const DType to : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const ResizeNormalize op{spec, constants, 4, to};
    const TensorDesc floats{DType::kFloat32, {3, 6, 5, 4}};
    const TensorDesc elements{to, floats.shape};
    ASSERT_EQ(op.infer(inputs).at(0), elements);
    std::vector<std::byte> wide(byte_size(floats));
    std::vector<std::byte> want(byte_size(elements));
    std::vector<std::byte> got(byte_size(elements), std::byte{0xFF});
    NormalizeImage{constants, 4}.evaluate(
        std::array{ConstTensorView{&bytes, std::as_bytes(std::span(resized)).data()}},
        std::array{TensorView{&floats, wide.data()}});
    Cast{to}.evaluate(std::array{ConstTensorView{&floats, wide.data()}},
                      std::array{TensorView{&elements, want.data()}});

    op.evaluate(views, std::array{TensorView{&elements, got.data()}});

    EXPECT_EQ(got, want) << to_string(to);
  }
  EXPECT_THROW((void)(ResizeNormalize{spec, constants, 4, DType::kInt8}.infer(inputs)),
               InvalidArgument);
  EXPECT_THROW((void)(ResizeNormalize{spec, constants, 2}.infer(inputs)), InvalidArgument);
  EXPECT_THROW((void)(ResizeNormalize{{}, constants}.infer(inputs)), InvalidArgument);
}

TEST(ResizeImage, InfersTheBatchAndTheChannels) {
  const TensorDesc pixels{DType::kUInt8, {1000}};
  const TensorDesc table{DType::kInt64, {kBatch, 3}};
  const PreprocessSpec spec{.height = 28, .width = 30, .color = ColorMode::kGrayscale};

  EXPECT_EQ(ResizeImage{spec}.infer(std::array{pixels, table}).at(0),
            (TensorDesc{DType::kUInt8, {kBatch, 28, 30, 1}}));
}

TEST(ResizeImage, RefusesOtherInputsAndSpecsWithoutASize) {
  const TensorDesc pixels{DType::kUInt8, {1000}};
  const TensorDesc table{DType::kInt64, {kBatch, 3}};
  const ResizeImage op{{.height = 28, .width = 28}};
  const auto infer = [&](const TensorDesc& a, const TensorDesc& b) {
    (void)op.infer(std::array{a, b});
  };

  EXPECT_NO_THROW(infer(pixels, table));
  EXPECT_THROW(infer({DType::kInt8, {1000}}, table), InvalidArgument);
  EXPECT_THROW(infer({DType::kUInt8, {kBatch}}, table), InvalidArgument);
  EXPECT_THROW(infer({DType::kUInt8, {10, 100}}, table), InvalidArgument);
  EXPECT_THROW(infer(pixels, {DType::kInt32, {kBatch, 3}}), InvalidArgument);
  EXPECT_THROW(infer(pixels, {DType::kInt64, {kBatch, 4}}), InvalidArgument);
  EXPECT_THROW((void)ResizeImage{}.infer(std::array{pixels, table}), InvalidArgument);
  EXPECT_THROW((void)op.infer(std::array{pixels}), InvalidArgument);
}

TEST(ResizeImage, RefusesATableThatLeavesThePixels) {
  const ResizeImage op{{.height = 2, .width = 2}};
  constexpr std::int64_t kFar = INT64_MAX;
  const auto run = [&](std::vector<std::int64_t> row) {
    (void)evaluated(op, {std::vector<std::uint8_t>(48), std::move(row)});
  };

  EXPECT_NO_THROW(run({4, 4, 0}));
  for (const auto& row : std::vector<std::vector<std::int64_t>>{{4, 4, 1},
                                                                {4, 4, -1},
                                                                {0, 4, 0},
                                                                {4, -4, 0},
                                                                {5, 4, 0},
                                                                {kFar, 4, 0},
                                                                {4, kFar, 0},
                                                                {4, 4, kFar},
                                                                {16'384, 16'384, 0}}) {
    EXPECT_THROW(run(row), InvalidArgument) << row[0] << "x" << row[1] << " at " << row[2];
  }
}

TEST(NormalizeImage, NormalisesAndPadsTheChannels) {
  const NormalizeImage op{normalization_constants(Normalization::kCaffe), 4};
  const TensorDesc x{DType::kUInt8, {1, 1, 2, 3}};
  const std::array<std::uint8_t, 6> pixels{1, 2, 3, 4, 5, 6};
  const auto descs = op.infer(std::array{x});
  ASSERT_EQ(descs.at(0), (TensorDesc{DType::kFloat32, {1, 1, 2, 4}}));
  std::array<float, 8> out{};

  op.evaluate(std::array{ConstTensorView{&x, std::as_bytes(std::span(pixels)).data()}},
              std::array{TensorView{&descs[0], std::as_writable_bytes(std::span(out)).data()}});

  EXPECT_EQ(out,
            (std::array{3.0F - 103.939F,
                        2.0F - 116.779F,
                        1.0F - 123.68F,
                        0.0F,
                        6.0F - 103.939F,
                        5.0F - 116.779F,
                        4.0F - 123.68F,
                        0.0F}));
}

TEST(NormalizeImage, RefusesWhatItCannotNormalise) {
  const TensorDesc rgb{DType::kUInt8, {kBatch, 4, 4, 3}};
  const TensorDesc gray{DType::kUInt8, {kBatch, 4, 4, 1}};
  const NormalizationConstants unit = normalization_constants(Normalization::kUnit);
  const auto infer = [](const NormalizeImage& op, const TensorDesc& x) {
    return op.infer(std::array{x}).at(0);
  };

  EXPECT_EQ(infer({unit, 0}, gray), (TensorDesc{DType::kFloat32, {kBatch, 4, 4, 1}}));
  EXPECT_THROW(infer({unit, 2}, rgb), InvalidArgument);
  EXPECT_THROW(infer({unit, -1}, rgb), InvalidArgument);
  EXPECT_THROW(infer({unit, 0}, {DType::kFloat32, {kBatch, 4, 4, 3}}), InvalidArgument);
  EXPECT_THROW(infer({unit, 0}, {DType::kUInt8, {kBatch, 4, 4, 4}}), InvalidArgument);
  EXPECT_THROW(infer({unit, 0}, {DType::kUInt8, {4, 4, 3}}), InvalidArgument);
  EXPECT_THROW(infer({normalization_constants(Normalization::kCaffe), 0}, gray), InvalidArgument);
  EXPECT_THROW(infer({{.divisor = 0.0F}, 0}, rgb), InvalidArgument);
}

}  // namespace
}  // namespace fovea
