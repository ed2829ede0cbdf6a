#include "kernels/normalize.h"

#include <bit>

#include "engine/graph/ops/normalize_image.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

class NormalizeTest : public test::DeviceTest {
 protected:
  /// Every byte value in every channel, then noise.
  static std::vector<std::uint8_t> pictures(std::size_t bytes) {
    std::mt19937 random(11);
    std::vector<std::uint8_t> values(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
      values[i] = static_cast<std::uint8_t>(i < 768 ? i / 3 : random());
    }
    return values;
  }

  static std::vector<float> expected(const std::vector<std::uint8_t>& x,
                                     int pixels,
                                     int channels,
                                     int out_channels,
                                     const NormalizationConstants& constants) {
    const TensorDesc in{DType::kUInt8, {1, pixels, 1, channels}};
    const TensorDesc out{DType::kFloat32, {1, pixels, 1, out_channels}};
    std::vector<float> y(static_cast<std::size_t>(pixels * out_channels));
    const ConstTensorView input{&in, reinterpret_cast<const std::byte*>(x.data())};
    const TensorView output{&out, reinterpret_cast<std::byte*>(y.data())};
    NormalizeImage{.constants = constants, .channels = out_channels}.evaluate({&input, 1},
                                                                              {&output, 1});
    return y;
  }

  static void expect_same_bits(const std::vector<float>& got, const std::vector<float>& want) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(want[i]))
          << "element " << i << ": " << got[i] << " instead of " << want[i];
    }
  }

  void compare(Normalization mode, int channels, int out_channels, int pixels, ElementType type) {
    SCOPED_TRACE(testing::Message()
                 << to_string(mode) << ' ' << channels << " to " << out_channels << ", " << pixels
                 << " pixels of " << to_string(test::dtype_of(type)));
    const NormalizationConstants constants = normalization_constants(mode);
    const auto x = pictures(static_cast<std::size_t>(pixels * channels));
    const test::DeviceArray<std::uint8_t> from(x);
    const test::DeviceElements to(type, static_cast<std::size_t>(pixels * out_channels));

    ASSERT_EQ(normalize({.x = from.data(),
                         .type = type,
                         .y = to.data(),
                         .pixels = pixels,
                         .channels = channels,
                         .out_channels = out_channels,
                         .swap_red_blue = constants.swap_red_blue,
                         .divisor = constants.divisor,
                         .mean = constants.mean,
                         .scale = constants.scale},
                        stream()),
              cudaSuccess);

    // A 16-bit type rounds the float32 result once more.
    expect_same_bits(to.download(stream()),
                     test::rounded(expected(x, pixels, channels, out_channels, constants), type));
  }
};

TEST_P(NormalizeTest, EqualsTheReferenceBitForBit) {
  for (const Normalization mode : {Normalization::kNone,
                                   Normalization::kCaffe,
                                   Normalization::kTf,
                                   Normalization::kTorch,
                                   Normalization::kUnit}) {
    for (const int channels : {1, 3}) {
      for (const int out_channels : {channels, 4, 5, 8, 16}) {
        for (const int pixels : {1, 31, 32, 33, 4096}) {
          for (const ElementType type : test::kElementTypes) {
            compare(mode, channels, out_channels, pixels, type);
          }
        }
      }
    }
  }
}

TEST_P(NormalizeTest, TakesPixelsThatAreNotAligned) {
  const auto x = pictures(3 * 33);
  const NormalizationConstants constants = normalization_constants(Normalization::kTf);
  for (const ElementType type : test::kElementTypes) {
    const test::DeviceArray<std::uint8_t> from(x);
    const test::DeviceElements to(type, std::vector<float>(33 * 8 + 1, 7.0F));

    ASSERT_EQ(normalize({.x = from.data(),
                         .type = type,
                         .y = to.at(1),
                         .pixels = 33,
                         .out_channels = 8,
                         .divisor = constants.divisor,
                         .mean = constants.mean,
                         .scale = constants.scale},
                        stream()),
              cudaSuccess);

    std::vector<float> want = expected(x, 33, 3, 8, constants);
    want.insert(want.begin(), 7.0F);
    expect_same_bits(to.download(stream()), test::rounded(want, type));
  }
}

TEST_P(NormalizeTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<std::uint8_t> x(12);
  const test::DeviceArray<float> y(12);
  const NormalizeArgs good{.x = x.data(), .y = y.data(), .pixels = 4};
  for (const auto& break_it : std::vector<void (*)(NormalizeArgs&)>{
           [](NormalizeArgs& a) { a.pixels = -1; },
           [](NormalizeArgs& a) { a.pixels = std::int64_t{1} << 31; },
           [](NormalizeArgs& a) { a.channels = 2; },
           [](NormalizeArgs& a) { a.out_channels = 2; }}) {
    NormalizeArgs bad = good;
    break_it(bad);
    EXPECT_EQ(normalize(bad, stream()), cudaErrorInvalidValue);
  }
  NormalizeArgs nothing = good;
  nothing.pixels = 0;
  EXPECT_EQ(normalize(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(NormalizeTest);

}  // namespace
}  // namespace fovea::kernels
