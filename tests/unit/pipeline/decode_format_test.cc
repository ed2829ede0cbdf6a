#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/image.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

using std::string_view_literals::operator""sv;
using test::error_of;

std::string refusal(std::string_view data) {
  return error_of([data] { (void)decode(std::as_bytes(std::span(data))); });
}

constexpr std::string_view kReadable = "; readable are JPEG, PNG, BMP, WebP, TIFF and PNM";

TEST(DecodeFormat, NamesWhatItCannotRead) {
  const auto expect = [](std::string_view data, const std::string& what) {
    EXPECT_EQ(refusal(data), "image/unsupported-format: " + what + std::string(kReadable));
  };

  expect("", "the picture is empty: 0 bytes");
  expect("GIF89a\1\0\1\0\0\0\0;"sv, "the picture's format is GIF");
  expect("\0\0\0 ftypavif"sv, "the picture's format is AVIF");
  expect("\0\0\0 ftypheic"sv, "the picture's format is HEIF or a film");
  expect("\0\0\0\x0CjP  \r\n"sv, "the picture's format is JPEG 2000");
  expect("\xFF\x0A\0"sv, "the picture's format is JPEG XL");
  expect("%PDF-1.7"sv, "the picture's format is PDF");
  expect("PK\3\4\0\0"sv, "the picture's format is a zip archive");
  expect("<!DOCTYPE html>\n<title>404</title>\n", "the data is text and no picture");
  expect("P7\nWIDTH 4", "the data is text and no picture");
  expect("\xC3\xA9t\xC3\xA9", "the data is text and no picture");
  expect("\1\2\3\4"sv, "the data is no picture of a known format");
  expect("\xFF"sv, "the data is no picture of a known format");
  expect("RIFF\4\0\0\0WAVE"sv, "the data is no picture of a known format");
}

}  // namespace
}  // namespace fovea
