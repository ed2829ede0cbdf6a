// The input path against real Keras: sha256 of decoded, resized and normalised pixels.
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/image.h>

#include "engine/core/digest.h"
#include "tests/support/preprocess_goldens.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using test::picture_path;
using test::Row;
using test::rows_by_picture;
using test::spec_of;

using PreprocessGolden = test::SharedDataTest;

TEST_F(PreprocessGolden, DecodesAndResizesLikeKeras) {
  const auto table = rows_by_picture(shared_ / "goldens" / "preprocess" / "resize.tsv");
  std::size_t compared = 0;
  for (const auto& [name, rows] : table) {
    const std::string path = picture_path(shared_, name);
    const std::map<std::string, Image> decoded = [&path] {
      std::map<std::string, Image> images;
      images["rgb"] = decode_file(path, ColorMode::kRgb);
      images["grayscale"] = decode_file(path, ColorMode::kGrayscale);
      return images;
    }();
    for (const Row& row : rows) {
      const Image& image = decoded.at(row.at(5));

      const Image out = resize(image.view(), spec_of(row));

      const bool is_wide = out.format() == PixelFormat::kGray16;
      EXPECT_EQ(is_wide ? "uint16" : "uint8", row.at(6)) << name;
      EXPECT_EQ(sha256(std::as_bytes(std::span(out.data(), out.bytes()))), row.at(7))
          << name << " " << row.at(5) << " " << row.at(1) << "x" << row.at(2) << " " << row.at(3)
          << " keep_aspect_ratio=" << row.at(4);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3'136U);
}

/// Columns: image, target_h, target_w, mode, sha256; rgb, nearest, the whole picture.
TEST_F(PreprocessGolden, NormalisesLikeKeras) {
  const auto table = rows_by_picture(shared_ / "goldens" / "preprocess" / "modes.tsv");
  std::size_t compared = 0;
  for (const auto& [name, rows] : table) {
    const Image image = decode_file(picture_path(shared_, name));
    for (const Row& row : rows) {
      const Image resized =
          resize(image.view(), {.height = std::stoi(row.at(1)), .width = std::stoi(row.at(2))});
      std::vector<float> floats(resized.bytes());

      normalize(resized.view(), parse_normalization(row.at(3)), floats);

      EXPECT_EQ(sha256(std::as_bytes(std::span(floats))), row.at(4))
          << name << " " << row.at(1) << "x" << row.at(2) << " " << row.at(3);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 384U);
}

}  // namespace
}  // namespace fovea
