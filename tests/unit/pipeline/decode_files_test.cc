// Every small picture of files/ against real Keras, whole and cut off.
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/image.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"
#include "tests/support/formula_picture.h"

namespace fovea {
namespace {

using test::error_of;
using test::pixel_hash;

/// Of the pictures and their table.
std::filesystem::path folder() {
  return std::filesystem::path(FOVEA_SOURCE_DIR) / "tests" / "unit" / "pipeline" / "files";
}

/// A line of expected.tsv; for a file that is refused, `sha256` is the code of the error.
struct Expected {
  std::string file;
  std::string color;
  std::string dtype;
  std::string height;
  std::string width;
  std::string sha256;

  [[nodiscard]] bool is_refused() const { return color == "-"; }
};

std::vector<Expected> expected_lines() {
  std::vector<Expected> lines;
  std::ifstream file(folder() / "expected.tsv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    Expected e;
    columns >> e.file >> e.color >> e.dtype >> e.height >> e.width >> e.sha256;
    lines.push_back(e);
  }
  return lines;
}

TEST(DecodeFiles, GiveTheSamePixelsAsKeras) {
  const auto lines = expected_lines();
  ASSERT_EQ(lines.size(), 164U);
  for (const Expected& e : lines) {
    if (e.is_refused()) continue;
    SCOPED_TRACE(e.file + " " + e.color);

    const Image image = decode_file((folder() / e.file).string(), parse_color_mode(e.color));

    EXPECT_EQ(image.format() == PixelFormat::kGray16 ? "uint16" : "uint8", e.dtype);
    EXPECT_EQ(std::to_string(image.height()), e.height);
    EXPECT_EQ(std::to_string(image.width()), e.width);
    EXPECT_EQ(pixel_hash(image), e.sha256);
  }
}

TEST(DecodeFiles, AreRefusedWhereTheirPixelsWouldNotBeKeras) {
  int refused = 0;
  for (const Expected& e : expected_lines()) {
    if (!e.is_refused()) continue;
    const std::string error = error_of([&] { (void)decode_file((folder() / e.file).string()); });
    EXPECT_EQ(error.substr(0, error.find(':')), e.sha256) << e.file << ": " << error;
    ++refused;
  }
  EXPECT_EQ(refused, 12);
}

/// Cut off after any number of bytes, a file is an error, unless nothing but what no pixel depends
/// on is missing: then it is the whole picture, bit for bit.
TEST(DecodeFiles, CutOffAreNeverHalfAPicture) {
  for (const Expected& e : expected_lines()) {
    // The last number of a plain picture may lose a digit without a trace.
    if (e.is_refused() || e.color != "rgb" || e.file == "plain.ppm") continue;
    const std::vector<std::byte> bytes = read_file(folder() / e.file);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::string hash;
      const std::string error = error_of([&] {
        // A copy of that size: the address sanitizer sees a read behind its end.
        const std::vector<std::byte> start(bytes.data(), bytes.data() + size);
        hash = pixel_hash(decode(start));
      });
      if (error.empty()) {
        ASSERT_EQ(hash, e.sha256) << e.file << " cut off after " << size << " of " << bytes.size();
        ASSERT_GT(size + 16, bytes.size()) << e.file << " cut off after " << size << " bytes";
      } else {
        const std::string code = error.substr(0, error.find(':'));
        ASSERT_TRUE(code == "image/truncated" || code == "image/corrupt" ||
                    (size < 12 && code == "image/unsupported-format"))
            << e.file << " cut off after " << size << ": " << error;
      }
    }
  }
}

TEST(DecodeFile, SaysWhatIsWrongWithThePath) {
  test::expect_error(ErrorCode::kImageNotFound, "no such.png", [] {
    (void)decode_file((folder() / "no such.png").string());
  });
  test::expect_error(
      ErrorCode::kImageUnreadable, "files", [] { (void)decode_file(folder().string()); });
}

}  // namespace
}  // namespace fovea
