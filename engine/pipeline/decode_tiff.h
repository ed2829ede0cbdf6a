// TIFF, baseline and the compressions that are common in data sets.
//
// Read here rather than by OpenCV, which passes over errors inside compressed data and multiplies
// colours with alpha: both would be wrong pixels without a word.
#pragma once

#include <cstddef>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// The first picture of the file: gray of up to 8 bits as kGray8, of 16 as kGray16; palettes, and
/// RGB of 8 and 16 bits (of these the upper byte), as kRgb8; alpha of RGB is dropped.
///
/// bytes   start with II*\0 or MM\0*
/// Throws Error: image/truncated, image/corrupt, image/too-large, and image/unsupported-format for
/// what is not read to Pillow's pixels: tiles, planes, orientation, CMYK, YCbCr, floats, and other
/// compressions than none, LZW, deflate and PackBits.
[[nodiscard]] Image decode_tiff(std::span<const std::byte> bytes, const DecodeLimits& limits);

}  // namespace fovea
