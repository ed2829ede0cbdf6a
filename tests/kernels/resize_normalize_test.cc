// Resizing and normalising in one go against the two operators' definitions, one after the other.
#include "engine/graph/ops/cast.h"
#include "engine/graph/ops/normalize_image.h"
#include "kernels/resize.h"
#include "tests/kernels/device_batch.h"

namespace fovea::kernels {
namespace {

DType dtype_of(ElementType type) {
  return type == ElementType::kFloat32   ? DType::kFloat32
         : type == ElementType::kFloat16 ? DType::kFloat16
                                         : DType::kBFloat16;
}

/// The bytes of ResizeImage, NormalizeImage and a Cast.
std::vector<std::byte> expected(const PreprocessSpec& spec,
                                const test::RaggedBatch& batch,
                                const NormalizeImage& normalize,
                                ElementType type) {
  const std::vector<std::uint8_t> resized = test::evaluated(ResizeImage{spec}, batch);
  const TensorDesc bytes{DType::kUInt8,
                         {static_cast<std::int64_t>(batch.size()),
                          spec.height,
                          spec.width,
                          pixel_bytes(pixel_format(spec.color))}};
  const TensorDesc floats = normalize.infer({&bytes, 1}).at(0);
  std::vector<std::byte> normalized(byte_size(floats));
  const ConstTensorView pixels{&bytes, reinterpret_cast<const std::byte*>(resized.data())};
  const TensorView values{&floats, normalized.data()};
  normalize.evaluate({&pixels, 1}, {&values, 1});
  if (type == ElementType::kFloat32) return normalized;

  const Cast cast{dtype_of(type)};
  const TensorDesc halves = cast.infer({&floats, 1}).at(0);
  std::vector<std::byte> result(byte_size(halves));
  const ConstTensorView from{&floats, normalized.data()};
  const TensorView to{&halves, result.data()};
  cast.evaluate({&from, 1}, {&to, 1});
  return result;
}

class ResizeNormalizeTest : public test::DeviceTest {
 protected:
  /// Compares every byte; `misplaced` elements off the alignment that vectors need.
  void expect_equals_definitions(const PreprocessSpec& spec,
                                 const test::RaggedBatch& batch,
                                 int out_channels,
                                 ElementType type,
                                 std::size_t misplaced) {
    const NormalizationConstants constants = normalization_constants(spec.mode);
    const test::DeviceBatch device(spec, batch);
    const std::size_t offset = misplaced * bytes_of(type);
    const std::size_t size =
        device.result_pixels() * static_cast<std::size_t>(out_channels) * bytes_of(type);
    const test::DeviceArray<std::byte> y(offset + size);

    ASSERT_EQ(resize_normalize(device.args(),
                               {.type = type,
                                .y = y.data() + offset,
                                .out_channels = out_channels,
                                .swap_red_blue = constants.swap_red_blue,
                                .divisor = constants.divisor,
                                .mean = constants.mean,
                                .scale = constants.scale},
                               stream()),
              cudaSuccess);

    std::vector<std::byte> got = y.download(stream());
    got.erase(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(offset));
    EXPECT_EQ(got, expected(spec, batch, {constants, out_channels}, type))
        << to_string(spec.mode) << ", " << to_string(dtype_of(type)) << ", " << out_channels
        << " channels, " << misplaced << " off";
  }
};

TEST_P(ResizeNormalizeTest, EqualsTheDefinitionsBitForBit) {
  for (const ColorMode color : {ColorMode::kRgb, ColorMode::kGrayscale}) {
    const test::RaggedBatch batch =
        test::batch_of({{40, 31}, {17, 60}, {19, 23}, {19, 5}, {3, 23}}, color);
    const int channels = pixel_bytes(pixel_format(color));
    for (const Normalization mode : {Normalization::kNone,
                                     Normalization::kCaffe,
                                     Normalization::kTf,
                                     Normalization::kTorch,
                                     Normalization::kUnit}) {
      if (channels == 1 && mode == Normalization::kCaffe) continue;  // it swaps channels
      const PreprocessSpec spec{.height = 23,
                                .width = 19,
                                .interpolation = Interpolation::kBilinear,
                                .color = color,
                                .mode = mode};
      for (const ElementType type :
           {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16}) {
        for (const int out_channels : {channels, 4, 5, 8, 16}) {
          for (const std::size_t misplaced : {0U, 1U}) {
            expect_equals_definitions(spec, batch, out_channels, type, misplaced);
          }
        }
      }
    }
  }
}

/// Every byte in every channel, resized to its own size.
TEST_P(ResizeNormalizeTest, EveryByteOfEveryChannel) {
  Image image(256, 3, PixelFormat::kRgb8);
  for (std::size_t i = 0; i < image.bytes(); ++i) {
    image.data()[i] = static_cast<std::uint8_t>(i / 3 + i % 3 * 85);
  }
  test::RaggedBatch batch;
  batch.add(image);
  for (const Normalization mode :
       {Normalization::kCaffe, Normalization::kTf, Normalization::kTorch, Normalization::kUnit}) {
    for (const ElementType type :
         {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16}) {
      expect_equals_definitions({.height = 3, .width = 256, .mode = mode}, batch, 8, type, 0);
    }
  }
}

TEST_P(ResizeNormalizeTest, RefusesWhatIsOutOfRange) {
  const test::DeviceBatch device({.height = 2, .width = 2},
                                 test::batch_of({{2, 2}}, ColorMode::kRgb));
  const test::DeviceArray<float> y(12);
  const auto with = [&](int channels, int out_channels) {
    ResizeArgs args = device.args();
    args.channels = channels;
    return resize_normalize(args, {.y = y.data(), .out_channels = out_channels}, stream());
  };
  EXPECT_EQ(with(3, 2), cudaErrorInvalidValue);
  EXPECT_EQ(with(2, 3), cudaErrorInvalidValue);
  EXPECT_EQ(with(3, 3), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(ResizeNormalizeTest);

}  // namespace
}  // namespace fovea::kernels
