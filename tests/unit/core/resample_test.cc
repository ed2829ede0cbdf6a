#include "engine/core/resample.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/core/resample_axis.h"
#include "engine/core/resample_pass.h"
#include "tests/support/formula_picture.h"

namespace fovea {
namespace {

using test::formula_picture;
using test::pixel_hash;

constexpr std::array kAll{Interpolation::kNearest,
                          Interpolation::kBilinear,
                          Interpolation::kBicubic,
                          Interpolation::kHamming,
                          Interpolation::kBox,
                          Interpolation::kLanczos};

struct Case {
  int width;
  int height;
  PixelFormat format;
  ResampleBox box;
  int out_width;
  int out_height;
  std::array<const char*, 6> sha256;  ///< in the order of kAll
};

Image resampled(
    const Image& image, const ResampleBox& box, int width, int height, Interpolation how) {
  Image out(width, height, image.format());
  resample(image.view(), box, width, height, how, out.data(), out.stride());
  return out;
}

ResampleBox whole(const Image& image) {
  return {0.0F, 0.0F, static_cast<float>(image.width()), static_cast<float>(image.height())};
}

// Pillow 13.0.0, with picture() of tests/support/formula_picture.h:
//   resized = picture(width, height, kind).resize((out_width, out_height), Image.BILINEAR, box)
//   hashlib.sha256(np.asarray(resized).tobytes()).hexdigest()
const std::vector<Case>& pillow_cases() {
  static const std::vector<Case> kCases{
      {61,
       43,
       PixelFormat::kRgb8,
       {0.0F, 0.0F, 61.0F, 43.0F},
       28,
       20,
       {"c01848bd88f0253492b22fbd389ac3651cc5345a5facb5c9f1acb218e43c4a64",
        "9fb65a5e101d884fb6cf0fe26e26e12888bfec8dbd464305304002eee7a28c73",
        "06713d4110a3ae84ee29e26ba05134497be4b856ea0e3fed5e957d32a91feb7c",
        "e3222f42f8b7f032f36a8c39d618239e462f6fa1643dc2994cc0b0ca7a672f49",
        "102f780956769e9af4f5821c18ebe976c1bd90ef852a3b85703f52fbebd7a9fd",
        "01642059aa3f74db6ebc6271ad0ce4b6fe1c0d7d965c8b9cc1690465d27b009e"}},
      {61,
       43,
       PixelFormat::kRgb8,
       {0.0F, 0.0F, 61.0F, 43.0F},
       90,
       97,
       {"a342cb1e45f60ec722d8de1d28aa9de25bea348a5d2c5b37cfacad1e11e204da",
        "358067a45cb04ca83cb8b51762b37b8671d145320dcce4ba9a16869accc7a6f6",
        "507fdc797e1484f995459ef32baadeac6199a741419ce3c2b4d77cc4af2e3f86",
        "4dd6a44991ed305e18213493b45c7876712392b48f7b42ecf3f56b8d5a6ef875",
        "a342cb1e45f60ec722d8de1d28aa9de25bea348a5d2c5b37cfacad1e11e204da",
        "fb48678064dd28c0a113500881d04013e36779fcf6caa472b6dd514cb8403b8c"}},
      {40,
       97,
       PixelFormat::kRgb8,
       {0.0F, 0.0F, 40.0F, 97.0F},
       33,
       31,
       {"6fbe60cdcf33023c52df8a10bf982c952c8b161fb8d01864d14ae154b7ba1aa5",
        "16c14da8aad86a46b6a5bd195dba5d8c593967530222557acea976b1a5b15a4b",
        "a5df2d9a811c6c085bce31406ee084e8b74192e262bff7e373f032a507f582a0",
        "57e71f9c793cbd4bff5eec36396721eb093cc947182411aad412a6cdb9ecbd48",
        "e7668707431c6fba9c5e4d3d077a3f0cd37a868b702b29724d072075876b31a1",
        "376ff608925770f4214e349c0dd2e0c62d1e38e110c40cbcd34f2ac64e704d09"}},
      {50,
       37,
       PixelFormat::kGray8,
       {0.0F, 0.0F, 50.0F, 37.0F},
       24,
       20,
       {"63ef09c74312332ddf7e4af3e95a720dbf633e90e2aa127fefb344208b8ad3b5",
        "5bab231f12ad5baffc0c47247472bce80521d28ef3a9cade7bcfcb86831f9a42",
        "a5b8c51e9958fcac508fe193a0f5bdce568f07b56d58f7bd130d6333d5ddbd87",
        "e91c289723cb1fa5c20ede186e1a8a48cdb15de03608cf202f575b71bdd83f5d",
        "d9b7ca930b0d43b1ff786a5cf6571867fe64db4e58e1eb97a8d3c4c1594b06bd",
        "01c494968965b17c0562b56b5a10eff3cd3e4db6068c7e421b9b947ac34f5ac9"}},
      {37,
       50,
       PixelFormat::kGray16,
       {0.0F, 0.0F, 37.0F, 50.0F},
       24,
       61,
       {"2b3630a5183828dafa12868435c6399a74ce6bb97bae4bd76452e63d82baa85d",
        "ce66a99b037fb2b2914177262178999802c16c2f47880d6b52ecdea51bfc78a1",
        "da51b9cc8428ce2194c347bb169ee1ed427ce29b0f75eb4e55aa1c92807cf267",
        "7b8cee9f379eed9e172407db846a630c8c668fa4b1d375cae40e9d749d8ef4a7",
        "30467b9ffd84f82bb9a7f2c6a4b604cd0f2011061d40609e3f384b741fd2055a",
        "cbfec065a8585e10aaad41e98f3c5b71a96b55b2dc013bce107ad54c24f5508f"}},
      {53,
       47,
       PixelFormat::kRgb8,
       {3.25F, 1.5F, 47.75F, 40.0F},
       31,
       29,
       {"b50156d68e7e77e3520aeee2087fa27e1a8e9392230c972006c2468e1712d988",
        "a13df7e401c9cfb8ced9652ca199c25bf07cdf8bf5ac4f82f68c85b6fbfa4dea",
        "c1161246774d03f3a0eccc38e3a563e5841075350e9034d113cbda19941a24a3",
        "8d17ee564045a58b04da3e324e40a63d06c34f34e9a30933392eff6cd84e4c58",
        "d81452092425b02f7b0ea736d136fc7fcc4d9ff2a78c50ec22a46934057227e3",
        "63fa18c2a08887c0b298b306003bb23d130500fd707a428d6dd1ca6eeb3fe473"}},
  };
  return kCases;
}

TEST(Resample, EqualsPillowToTheLastBit) {
  for (const Case& c : pillow_cases()) {
    const Image image = formula_picture(c.width, c.height, c.format);
    for (std::size_t i = 0; i < kAll.size(); ++i) {
      SCOPED_TRACE(testing::Message() << c.width << "x" << c.height << " to " << c.out_width << "x"
                                      << c.out_height << " " << to_string(kAll[i]));

      const Image out = resampled(image, c.box, c.out_width, c.out_height, kAll[i]);

      EXPECT_EQ(pixel_hash(out), c.sha256[i]);
    }
  }
}

TEST(Resample, KeepsAPictureOfTheTargetSize) {
  for (const auto format : {PixelFormat::kRgb8, PixelFormat::kGray8, PixelFormat::kGray16}) {
    const Image image = formula_picture(31, 17, format);
    for (const Interpolation how : kAll) {
      EXPECT_EQ(pixel_hash(resampled(image, whole(image), 31, 17, how)), pixel_hash(image));
    }
  }
}

// Weights add up to one, up to the rounding of 22 bits a tap: far less than half a step.
TEST(Resample, KeepsAConstantPicture) {
  for (const int level : {0, 1, 127, 255}) {
    Image image(37, 23, PixelFormat::kRgb8);
    std::fill_n(image.data(), image.bytes(), static_cast<std::uint8_t>(level));
    for (const Interpolation how : kAll) {
      for (const auto& [width, height] : {std::pair{11, 7}, {90, 80}, {11, 80}, {90, 7}}) {
        const Image out = resampled(image, whole(image), width, height, how);

        const bool constant = std::all_of(
            out.data(), out.data() + out.bytes(), [level](int value) { return value == level; });
        EXPECT_TRUE(constant) << to_string(how) << " " << width << "x" << height;
      }
    }
  }
}

// Pillow 13 decides by the sizes; see vertical_pass_first.
TEST(Resample, GoesVerticallyFirstWhereTheHeightShrinksMore) {
  EXPECT_FALSE(vertical_pass_first(500, 375, 224, 224));
  EXPECT_TRUE(vertical_pass_first(375, 500, 224, 150));
  EXPECT_FALSE(vertical_pass_first(60, 90, 45, 60)) << "shrinks exactly twice as much";
  EXPECT_TRUE(vertical_pass_first(60, 90, 45, 59));
  EXPECT_TRUE(vertical_pass_first(4, 480, 100, 300));
  EXPECT_FALSE(vertical_pass_first(4, 280, 100, 300)) << "the height grows";
  EXPECT_FALSE(vertical_pass_first(4, 300, 100, 300)) << "the height stays";
}

// Sizes for buffers that are allocated before the pictures are known; seed 3.
TEST(Resample, NoAxisHasMoreTapsThanItsBound) {
  std::mt19937 random(3);
  const auto uniform = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int round = 0; round < 2'000; ++round) {
    const int size = uniform(1, round % 2 == 0 ? 9 : 700);
    const int out = uniform(1, round % 3 == 0 ? 9 : 300);
    const int begin = uniform(0, size - 1);
    const int end = uniform(begin, size);
    const Interpolation how = kAll.at(static_cast<std::size_t>(uniform(1, 5)));

    const ResampleAxis axis =
        resample_axis(size, static_cast<float>(begin), static_cast<float>(end), {out, 0, out}, how);

    ASSERT_LE(axis.taps, most_taps(size, out, how)) << size << " to " << out << to_string(how);
    ASSERT_LE(axis.taps, most_taps(size + 3, out, how)) << size << " to " << out << to_string(how);
  }
  EXPECT_EQ(most_taps(500, 224, Interpolation::kNearest), 1U);
  EXPECT_EQ(most_taps(500, 224, Interpolation::kBilinear), 6U);
  EXPECT_EQ(most_taps(4, 224, Interpolation::kLanczos), 4U);
}

TEST(Resample, ReadsRowsThatAreNotPacked) {
  const Image packed = formula_picture(29, 19, PixelFormat::kRgb8);
  constexpr std::ptrdiff_t kStride = 128;
  std::vector<std::uint8_t> padded(std::size_t{kStride} * 19, 0xAB);
  for (int y = 0; y < 19; ++y) {
    std::copy_n(packed.data() + y * packed.stride(), packed.stride(), padded.data() + y * kStride);
  }
  const ImageView view{padded.data(), 29, 19, kStride, PixelFormat::kRgb8};
  for (const Interpolation how : kAll) {
    Image out(13, 11, PixelFormat::kRgb8);

    resample(view, whole(packed), 13, 11, how, out.data(), out.stride());

    EXPECT_EQ(pixel_hash(out), pixel_hash(resampled(packed, whole(packed), 13, 11, how)));
  }
}

TEST(Resample, RefusesEmptyTargetsAndBoxesOutside) {
  const Image image = formula_picture(8, 6, PixelFormat::kRgb8);
  const auto to = [&](const ResampleBox& box, int width, int height) {
    std::vector<std::uint8_t> out(1024);
    resample(image.view(), box, width, height, Interpolation::kBilinear, out.data(), 48);
  };

  EXPECT_NO_THROW(to({0, 0, 8, 6}, 4, 4));
  EXPECT_THROW(to({0, 0, 8, 6}, 0, 4), InvalidArgument);
  EXPECT_THROW(to({0, 0, 8, 6}, 4, -1), InvalidArgument);
  EXPECT_THROW(to({-0.5F, 0, 8, 6}, 4, 4), InvalidArgument);
  EXPECT_THROW(to({0, 0, 8.5F, 6}, 4, 4), InvalidArgument);
  EXPECT_THROW(to({0, 5, 8, 4}, 4, 4), InvalidArgument);
  EXPECT_THROW(to({0, 0, 8, std::numeric_limits<float>::quiet_NaN()}, 4, 4), InvalidArgument);
}

/// Every size that makes the blocks of the SIMD passes come out differently, seed 5.
TEST(ResampleKernels, SimdEqualsPlainCode) {
  const ResampleKernels* simd = simd_resample_kernels();
  if (simd == nullptr) GTEST_SKIP() << "no SIMD passes on this machine";
  std::mt19937 random(5);
  const auto uniform = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int round = 0; round < 400; ++round) {
    const int channels = uniform(0, 1) == 0 ? 1 : 3;
    const int width = uniform(1, 60);
    const int height = uniform(1, 12);
    const int out = uniform(1, 60);
    const Interpolation how = kAll.at(static_cast<std::size_t>(uniform(1, 5)));
    const auto row_bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
    // Exactly as large as the picture: the address sanitizer sees a read behind the last row.
    std::vector<std::uint8_t> in(row_bytes * static_cast<std::size_t>(height));
    for (auto& value : in) value = static_cast<std::uint8_t>(uniform(0, 255));
    const ConstRows rows{in.data(), static_cast<std::ptrdiff_t>(row_bytes)};
    const ResampleTaps across(
        resample_axis(width, 0.0F, static_cast<float>(width), {out, 0, out}, how));
    const ResampleTaps down(
        resample_axis(height, 0.0F, static_cast<float>(height), {out, 0, out}, how));
    const auto run = [&](const ResampleKernels& kernels, bool horizontal) {
      const std::ptrdiff_t stride =
          horizontal ? std::ptrdiff_t{out} * channels : static_cast<std::ptrdiff_t>(row_bytes);
      std::vector<std::uint8_t> result(
          static_cast<std::size_t>(stride * (horizontal ? height : out)));
      if (horizontal) {
        kernels.horizontal(rows, height, row_bytes, channels, across, {result.data(), stride});
      } else {
        kernels.vertical(rows, row_bytes, down, {result.data(), stride});
      }
      return result;
    };

    ASSERT_EQ(run(*simd, true), run(scalar_resample_kernels(), true))
        << width << "x" << height << "x" << channels << " to " << out << " " << to_string(how);
    ASSERT_EQ(run(*simd, false), run(scalar_resample_kernels(), false))
        << width << "x" << height << "x" << channels << " to " << out << " " << to_string(how);
  }
}

}  // namespace
}  // namespace fovea
