// The module with OpenCV: what happens where it is missing, and that it is not needed for JPEG and
// PNG. The order matters, because it stays loaded: one test.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

std::string file(const char* name) {
  return std::filesystem::path(FOVEA_SOURCE_DIR) / "tests" / "unit" / "pipeline" / "files" / name;
}

void use_module(const char* path) {
  ASSERT_EQ(setenv("FOVEA_DECODE_MODULE", path, 1), 0);
}

TEST(DecodeModule, IsLoadedAtTheFirstPictureThatNeedsIt) {
  const auto decode_bmp = [] { (void)decode_file(file("bits24.bmp")); };
  // Missing.
  use_module("/nonexistent/module.so");
  EXPECT_NO_THROW((void)decode_file(file("yuv420.jpg")));
  EXPECT_NO_THROW((void)decode_file(file("rgb8.png")));
  EXPECT_NO_THROW((void)decode_file(file("lzw.tif")));
  EXPECT_NO_THROW((void)decode_file(file("rgb.ppm")));
  expect_error(ErrorCode::kImageUnsupportedFormat,
               "BMP pictures need the module /nonexistent/module.so",
               decode_bmp);
  expect_error(
      ErrorCode::kImageUnsupportedFormat, "set FOVEA_DECODE_MODULE to its path", decode_bmp);

  // Not where it belongs beside this program.
  ASSERT_EQ(unsetenv("FOVEA_DECODE_MODULE"), 0);
  expect_error(
      ErrorCode::kImageUnsupportedFormat, "lib/fovea/libfovea_decode_opencv.so", decode_bmp);

  // Another library.
  use_module("libz.so.1");
  expect_error(ErrorCode::kImageUnsupportedFormat, "it is not a module of Fovea", decode_bmp);

  // The right one, at last.
  use_module(FOVEA_BUILT_DECODE_MODULE);
  EXPECT_EQ(decode_file(file("bits24.bmp")).width(), 13);

  // It stays.
  use_module("/nonexistent/module.so");
  EXPECT_NO_THROW(decode_bmp());
}

}  // namespace
}  // namespace fovea
