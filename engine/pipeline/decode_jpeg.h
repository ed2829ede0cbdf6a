// JPEG through libjpeg-turbo.
#pragma once

#include <cstddef>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// The pixels that Pillow gets, as kGray8 or kRgb8: accurate integer DCT, fancy upsampling, no EXIF
/// rotation, CMYK and YCCK read as inverted.
///
/// Stricter than Pillow where entropy-coded data is damaged inside the file: libjpeg would go on
/// with gray or smeared blocks, here it is image/corrupt. Harmless warnings (bytes between
/// segments, an unknown Adobe or JFIF version) stay harmless.
///
/// bytes   start with FF D8
/// Throws Error: image/truncated where the file ends before its end marker, image/corrupt,
/// image/too-large (also: more scans than the limit, or more work in scans than 20 passes over the
/// largest picture), image/unsupported-format (12 bits, lossless, two components). Thread-safe.
[[nodiscard]] Image decode_jpeg(std::span<const std::byte> bytes, const DecodeLimits& limits);

}  // namespace fovea
