// The directory of a TIFF file: what its tags say about the first picture.
//
// Source: TIFF Revision 6.0, Adobe 1992, and TIFF Technical Note 2 on deflate.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <fovea/image.h>

#include "engine/pipeline/decode_bytes.h"

namespace fovea {

enum class TiffCompression : std::uint8_t { kNone, kLzw, kDeflate, kPackBits };

enum class TiffColor : std::uint8_t { kGray, kPalette, kRgb };

struct TiffDirectory {
  int width = 0;
  int height = 0;
  TiffColor color = TiffColor::kGray;
  TiffCompression compression = TiffCompression::kNone;
  int bits = 0;              ///< of a value: 1, 2, 4, 8 or 16
  int samples = 0;           ///< values of a pixel: 1, or 3 and what is dropped
  bool inverted = false;     ///< 0 is white
  bool differences = false;  ///< values are differences to the pixel on the left
  int rows_per_strip = 0;    ///< 1 to height
  std::vector<std::span<const std::byte>> strips;  ///< from top to bottom, all that are needed
  std::vector<std::uint8_t> palette;               ///< kPalette: 2^bits RGB colours

  [[nodiscard]] std::size_t row_bytes() const {
    const auto values = static_cast<std::size_t>(width) * static_cast<std::size_t>(samples);
    return (values * static_cast<std::size_t>(bits) + 7) / 8;
  }
};

/// Throws like decode_tiff.
[[nodiscard]] TiffDirectory read_tiff_directory(const ByteReader& file, const DecodeLimits& limits);

}  // namespace fovea
