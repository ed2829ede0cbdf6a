#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>

#include "tests/support/errors.h"
#include "tests/support/formula_picture.h"
#include "tests/unit/pipeline/jpeg_bytes.h"

namespace fovea {
namespace {

using test::append_segment;
using test::bytes_of;
using test::encode_jpeg;
using test::error_of;
using test::expect_error;
using test::formula_picture;
using test::jpeg_start;
using test::progressive_jpeg;

using Bytes = std::vector<std::byte>;

/// 120 x 90 pixels of noise: about 14 KB, of which the header is 623 bytes.
Bytes noise_jpeg(const test::JpegOptions& options = {}) {
  return encode_jpeg(formula_picture(120, 90, PixelFormat::kRgb8), options);
}

Bytes first(const Bytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(DecodeJpeg, SaysAfterHowManyRowsAFileEnds) {
  const Bytes whole = noise_jpeg();
  int last_row = -1;
  for (std::size_t size = 1000; size < whole.size(); size += 500) {
    const std::string error = error_of([&] { (void)decode(first(whole, size)); });

    int row = -1;
    ASSERT_EQ(
        std::sscanf(
            error.c_str(), "image/truncated: JPEG ends after %d of an expected 90 rows", &row),
        1)
        << size << ": " << error;
    EXPECT_GE(row, last_row);
    last_row = row;
  }
  EXPECT_GT(last_row, 45);
  EXPECT_LT(last_row, 90);
}

TEST(DecodeJpeg, SaysInWhichScanAProgressiveFileEnds) {
  const Bytes whole = noise_jpeg({.progressive = true});

  expect_error(ErrorCode::kImageTruncated, "JPEG ends in scan 5, before its end marker", [&] {
    (void)decode(first(whole, whole.size() / 4));
  });
  expect_error(ErrorCode::kImageTruncated, "before its end marker", [&] {
    (void)decode(first(whole, whole.size() - 2));
  });
}

TEST(DecodeJpeg, NeedsTheHeaderAndTheEndMarker) {
  const Bytes whole = noise_jpeg();

  for (const std::size_t size : {2U, 3U, 20U, 200U, 600U}) {
    expect_error(ErrorCode::kImageTruncated, "JPEG ends inside its header", [&] {
      (void)decode(first(whole, size));
    });
  }
  expect_error(ErrorCode::kImageTruncated, "JPEG ends", [&] {
    (void)decode(first(whole, whole.size() - 2));
  });
}

TEST(DecodeJpeg, RefusesDamagedData) {
  const Bytes whole = noise_jpeg();
  Bytes hole = whole;
  hole.erase(hole.begin() + 5000, hole.begin() + 6000);
  expect_error(ErrorCode::kImageCorrupt, "JPEG is damaged near row", [&] { (void)decode(hole); });

  Bytes restarts = noise_jpeg({.restart_rows = 1});
  restarts.erase(restarts.begin() + 5000, restarts.begin() + 8000);
  expect_error(
      ErrorCode::kImageCorrupt, "JPEG is damaged near row", [&] { (void)decode(restarts); });

  Bytes stranger = jpeg_start(0xC0, 8, 8);
  append_segment(stranger, 0xDA, bytes_of({1, 9, 0x00, 0, 63, 0}));
  expect_error(ErrorCode::kImageCorrupt, "component ID 9", [&] { (void)decode(stranger); });

  Bytes no_rows = jpeg_start(0xC0, 8, 0);
  append_segment(no_rows, 0xDA, bytes_of({1, 1, 0x00, 0, 63, 0}));
  expect_error(ErrorCode::kImageCorrupt, "JPEG", [&] { (void)decode(no_rows); });
}

TEST(DecodeJpeg, RefusesProcessesThatPillowDoesNotRead) {
  const auto refuse = [](const Bytes& start, const std::string& part) {
    Bytes file = start;
    append_segment(file, 0xDA, bytes_of({1, 1, 0x00, 0, 63, 0}));
    file.resize(file.size() + 64);
    expect_error(ErrorCode::kImageUnsupportedFormat, part, [&] { (void)decode(file); });
  };

  refuse(jpeg_start(0xC0, 8, 8, 2), "JPEG with 2 components");
  refuse(jpeg_start(0xC1, 8, 8, 1, 12), "precision 12");
  refuse(jpeg_start(0xC3, 8, 8), "SOF type 0xc3");
}

/// Nothing of that size is allocated: the address sanitizer's limit and the time of the test say
/// so.
TEST(DecodeJpeg, ChecksTheSizeInTheHeader) {
  const auto refuse = [](int width, int height, const std::string& part) {
    expect_error(
        ErrorCode::kImageTooLarge, part, [&] { (void)decode(progressive_jpeg(width, height, 0)); });
  };

  refuse(16'385, 1, "16385 x 1 pixels; a side may have 16384");
  refuse(1, 65'500, "a side may have 16384");
  refuse(8000, 8000, "8000 x 8000 pixels; a picture may have 50000000");

  const DecodeLimits small{.max_pixels = 100};
  EXPECT_EQ(decode(progressive_jpeg(10, 10, 0), ColorMode::kRgb, small).width(), 10);
  expect_error(ErrorCode::kImageTooLarge, "may have 100", [&] {
    (void)decode(progressive_jpeg(10, 11, 0), ColorMode::kRgb, small);
  });
}

TEST(DecodeJpeg, ReadsAHundredScansAndNoMore) {
  const Image image = decode(progressive_jpeg(64, 48, 99));
  EXPECT_TRUE(
      std::all_of(image.data(), image.data() + image.bytes(), [](int v) { return v == 128; }));

  expect_error(ErrorCode::kImageTooLarge, "more than 100 scans", [] {
    (void)decode(progressive_jpeg(64, 48, 100));
  });
  expect_error(ErrorCode::kImageTooLarge, "more than 3 scans", [] {
    (void)decode(progressive_jpeg(64, 48, 3), ColorMode::kRgb, {.max_progressive_scans = 3});
  });
}

/// 20 scans of the largest picture; the scans of smaller ones may be as many as add up to that.
TEST(DecodeJpeg, BoundsTheWorkOfAllScans) {
  const DecodeLimits limits{.max_pixels = 10'000};

  EXPECT_NO_THROW((void)decode(progressive_jpeg(100, 100, 19), ColorMode::kRgb, limits));
  expect_error(ErrorCode::kImageTooLarge, "more than 20 scans", [&] {
    (void)decode(progressive_jpeg(100, 100, 20), ColorMode::kRgb, limits);
  });
  EXPECT_NO_THROW((void)decode(progressive_jpeg(50, 40, 99), ColorMode::kRgb, limits));
}

/// A picture of every size around a block, in both colour modes: no read or write out of bounds.
TEST(DecodeJpeg, DecodesEverySmallSize) {
  for (int width = 1; width <= 18; ++width) {
    for (int height = 1; height <= 18; ++height) {
      const Bytes file = encode_jpeg(formula_picture(width, height, PixelFormat::kRgb8));
      EXPECT_EQ(decode(file).width(), width);
      EXPECT_EQ(decode(file, ColorMode::kGrayscale).height(), height);
    }
  }
}

}  // namespace
}  // namespace fovea
