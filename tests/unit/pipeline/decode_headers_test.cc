// Headers that lie, of every format but JPEG: each is refused before anything of the claimed size
// is allocated, with the right code.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>

#include "engine/core/file.h"
#include "engine/pipeline/decode_png_chunks.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

using Bytes = std::vector<std::byte>;

Bytes file(const char* name) {
  return read_file(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests" / "unit" / "pipeline" /
                   "files" / name);
}

/// The bytes with others at a position.
Bytes with(Bytes bytes, std::size_t at, std::initializer_list<int> values) {
  for (const int value : values) bytes.at(at++) = static_cast<std::byte>(value);
  return bytes;
}

/// Expects decoding to fail.
void refuse(ErrorCode code, const std::string& part, const Bytes& bytes) {
  expect_error(code, part, [&] { (void)decode(bytes); });
}

/// Four bytes, the first one on top.
std::array<int, 4> big(std::uint32_t value) {
  return {static_cast<int>(value >> 24U),
          static_cast<int>(value >> 16U & 0xFFU),
          static_cast<int>(value >> 8U & 0xFFU),
          static_cast<int>(value & 0xFFU)};
}

Bytes png_of_size(std::uint32_t width, std::uint32_t height) {
  const auto w = big(width);
  const auto h = big(height);
  return with(file("rgb8.png"), 16, {w[0], w[1], w[2], w[3], h[0], h[1], h[2], h[3]});
}

TEST(PngHeader, IsCheckedForItsSize) {
  refuse(ErrorCode::kImageTooLarge,
         "the PNG picture is 20000 x 10 pixels; a side may have 16384",
         png_of_size(20'000, 10));
  refuse(ErrorCode::kImageTooLarge, "a picture may have 50000000", png_of_size(10'000, 5'001));
  refuse(ErrorCode::kImageTooLarge, "4294967295 x 4294967295", png_of_size(0xFFFFFFFF, 0xFFFFFFFF));
  refuse(ErrorCode::kImageCorrupt, "at least 1", png_of_size(0, 10));
  // Within the limits, but not what the data holds: the checksum gives it away.
  refuse(ErrorCode::kImageCorrupt, "PNG cannot be read", png_of_size(14, 9));
}

TEST(PngHeader, HasToComeFirstAndChunksToBeWhole) {
  const Bytes whole = file("rgb8.png");

  refuse(ErrorCode::kImageCorrupt,
         "does not begin with its header",
         with(whole, 12, {'I', 'D', 'A', 'T'}));
  refuse(ErrorCode::kImageTruncated, "PNG ends after", with(whole, 33, {0x7F, 0xFF, 0xFF, 0xFF}));
  refuse(ErrorCode::kImageCorrupt,
         "a chunk of 4294967295 bytes",
         with(whole, 33, {0xFF, 0xFF, 0xFF, 0xFF}));
  refuse(ErrorCode::kImageTruncated, "PNG ends after", Bytes(whole.begin(), whole.end() - 12));
}

TEST(PngHeader, DamageInTheDataIsNoticed) {
  const Bytes whole = file("rgb8.png");
  for (std::size_t at = 41; at < whole.size() - 16; at += 7) {
    const int changed = std::to_integer<int>(whole[at]) ^ 0x10;
    refuse(ErrorCode::kImageCorrupt, "PNG", with(whole, at, {changed}));
  }
  // The checksum of the end chunk, behind all pixels.
  refuse(ErrorCode::kImageCorrupt, "PNG cannot be read", with(whole, whole.size() - 1, {0}));
}

TEST(PngHeader, ChunksWithoutPixelsDoNotReachTheDecoder) {
  const Bytes kept = checked_png(file("text.png"), {});

  const std::string_view text(reinterpret_cast<const char*>(kept.data()), kept.size());
  EXPECT_EQ(text.find("zTXt"), std::string_view::npos);
  EXPECT_NE(text.find("IDAT"), std::string_view::npos);
  EXPECT_EQ(kept.size() + 12 + 3 + 17, file("text.png").size());
}

TEST(BmpHeader, IsChecked) {
  const Bytes whole = file("bits24.bmp");

  refuse(ErrorCode::kImageTooLarge, "20000 x 9", with(whole, 18, {0x20, 0x4E, 0, 0}));
  refuse(ErrorCode::kImageTooLarge, "2147483648", with(whole, 22, {0, 0, 0, 0x80}));
  refuse(ErrorCode::kImageCorrupt, "at least 1", with(whole, 18, {0xFF, 0xFF, 0xFF, 0xFF}));
  refuse(ErrorCode::kImageTruncated, "BMP ends after", with(whole, 22, {200, 0, 0, 0}));
  refuse(ErrorCode::kImageTruncated, "BMP ends after", with(whole, 10, {0xF0, 0xFF, 0xFF, 0xFF}));
  refuse(ErrorCode::kImageUnsupportedFormat, "7 bits a pixel", with(whole, 28, {7}));
  refuse(ErrorCode::kImageUnsupportedFormat, "compression 4", with(whole, 30, {4}));
  refuse(ErrorCode::kImageUnsupportedFormat, "a header of 39 bytes", with(whole, 14, {39}));
  refuse(ErrorCode::kImageCorrupt,
         "a palette of 300 colours",
         with(file("palette8.bmp"), 46, {44, 1}));
}

TEST(WebpHeader, IsChecked) {
  const Bytes lossy = file("lossy.webp");
  const Bytes lossless = file("lossless.webp");
  const Bytes extended = file("lossy_alpha.webp");

  // 16,383 is the most that 14 bits hold.
  refuse(ErrorCode::kImageTooLarge, "16383 x 16383", with(lossy, 26, {0xFF, 0x3F, 0xFF, 0x3F}));
  refuse(ErrorCode::kImageTooLarge, "16384 x 16384", with(lossless, 21, {0xFF, 0xFF, 0xFF, 0x0F}));
  refuse(ErrorCode::kImageTooLarge,
         "16777216 x 16777216",
         with(extended, 24, {255, 255, 255, 255, 255, 255}));
  refuse(ErrorCode::kImageTruncated, "WebP ends after", with(lossy, 4, {0xFF, 0xFF, 0xFF, 0x7F}));
  refuse(ErrorCode::kImageCorrupt,
         "does not begin with a picture",
         with(lossy, 12, {'E', 'X', 'I', 'F'}));
  // A canvas of another size than the picture in it.
  refuse(ErrorCode::kImageCorrupt, "WebP cannot be read", with(extended, 24, {99, 0, 0}));
}

/// Where the numbers of a tag of the file's directory begin.
std::size_t tag_at(const Bytes& tiff, int tag) {
  const auto u16 = [&](std::size_t at) {
    return std::to_integer<std::size_t>(tiff.at(at)) | std::to_integer<std::size_t>(tiff.at(at + 1))
                                                           << 8U;
  };
  const std::size_t directory = u16(4) | u16(6) << 16U;
  for (std::size_t i = 0; i < u16(directory); ++i) {
    const std::size_t at = directory + 2 + i * 12;
    if (u16(at) == static_cast<std::size_t>(tag)) return at + 8;
  }
  ADD_FAILURE() << "no tag " << tag;
  return 0;
}

TEST(TiffDirectory, IsChecked) {
  const Bytes whole = file("rgb8_strips.tif");
  const auto changed = [&](int tag, std::initializer_list<int> values) {
    return with(whole, tag_at(whole, tag), values);
  };

  refuse(ErrorCode::kImageTooLarge, "20000 x 9", changed(256, {0x20, 0x4E, 0, 0}));
  refuse(ErrorCode::kImageTooLarge, "4294967295", changed(257, {255, 255, 255, 255}));
  refuse(ErrorCode::kImageCorrupt, "at least 1", changed(256, {0, 0, 0, 0}));
  refuse(ErrorCode::kImageCorrupt, "strips without rows", changed(278, {0, 0, 0, 0}));
  refuse(ErrorCode::kImageCorrupt, "too few numbers", changed(278, {1, 0, 0, 0}));
  refuse(ErrorCode::kImageCorrupt, "damaged or too short", changed(278, {9, 0, 0, 0}));
  refuse(ErrorCode::kImageTruncated, "TIFF ends after", changed(273, {0xFF, 0xFF, 0xFF, 0x7F}));
  refuse(ErrorCode::kImageTruncated, "TIFF ends after", with(whole, 4, {0xFF, 0xFF, 0xFF, 0x7F}));
  refuse(ErrorCode::kImageUnsupportedFormat, "compression 6", changed(259, {6, 0}));
  refuse(ErrorCode::kImageUnsupportedFormat, "colour space 6", changed(262, {6, 0}));
  refuse(ErrorCode::kImageUnsupportedFormat, "colour space 2 in 5 x 8 bits", changed(277, {5, 0}));
  // A count of numbers that the file cannot hold.
  refuse(ErrorCode::kImageTruncated,
         "TIFF ends after",
         with(whole, tag_at(whole, 273) - 4, {0xFF, 0xFF, 0xFF, 0xFF}));
  refuse(ErrorCode::kImageCorrupt,
         "no list of whole numbers",
         with(whole, tag_at(whole, 257) - 6, {5}));
  refuse(ErrorCode::kImageCorrupt, "has no width", with(whole, tag_at(whole, 256) - 8, {1}));
}

/// Bytes of compressed strips: deflate has a checksum, the others at least their structure.
TEST(TiffStrips, DamageIsNoticed) {
  const Bytes deflate = file("rgb8_differences.tif");
  for (std::size_t at = 15; at < 300; at += 13) {
    refuse(ErrorCode::kImageCorrupt,
           "deflate",
           with(deflate, at, {std::to_integer<int>(deflate[at]) ^ 0x21}));
  }
  const auto emptied = [](Bytes bytes) {
    const std::size_t at = tag_at(bytes, 279);
    return with(std::move(bytes), at, {4, 0, 0, 0});
  };
  refuse(ErrorCode::kImageCorrupt, "LZW", emptied(file("lzw.tif")));
  refuse(ErrorCode::kImageCorrupt, "PackBits", emptied(file("packbits.tif")));
  refuse(ErrorCode::kImageCorrupt, "uncompressed", emptied(file("gray16.tif")));
}

Bytes text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(PnmHeader, IsChecked) {
  refuse(ErrorCode::kImageTooLarge, "20000 x 1", text("P5 20000 1 255\n"));
  refuse(ErrorCode::kImageTooLarge, "999999999", text("P6 999999999 999999999 255\n"));
  refuse(ErrorCode::kImageCorrupt, "too long", text("P6 99999999999 1 255\n"));
  refuse(ErrorCode::kImageCorrupt, "at least 1", text("P5 0 1 255\n"));
  refuse(ErrorCode::kImageCorrupt, "largest value is 0", text("P5 1 1 0\n "));
  refuse(ErrorCode::kImageCorrupt, "largest value is 65536", text("P5 1 1 65536\n  "));
  refuse(ErrorCode::kImageCorrupt, "something else", text("P5 -1 1 255\n"));
  refuse(ErrorCode::kImageCorrupt, "the value 256", text("P2 1 1 255 256\n"));
  refuse(ErrorCode::kImageCorrupt, "the value 2, but its largest is 1", text("P1 1 1 2"));
  refuse(ErrorCode::kImageCorrupt, "no white space between", text("P5 1 1 255#a\nb"));
  refuse(ErrorCode::kImageTruncated, "after 2 of an expected 6 bytes", text("P5 3 2 255\nab"));
  refuse(ErrorCode::kImageTruncated, "before its last pixel", text("P2 3 2 255\n1 2 3"));
  refuse(ErrorCode::kImageTruncated, "before its last pixel", text("P5 3 # 2 255"));
}

}  // namespace
}  // namespace fovea
