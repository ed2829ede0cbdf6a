// BMP: what is checked before the pixels are left to OpenCV.
#pragma once

#include <cstddef>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// Checks that the header is one whose pixels OpenCV and Pillow read alike, that its size is within
/// the limits and that all rows are there.
///
/// bytes   start with "BM"
/// Throws Error: image/truncated, image/corrupt, image/too-large, and image/unsupported-format for
/// OS/2 headers, run lengths, 16 bits a pixel and channels in another order than B, G, R.
void check_bmp(std::span<const std::byte> bytes, const DecodeLimits& limits);

}  // namespace fovea
