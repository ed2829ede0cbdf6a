// WebP: what is checked before the pixels are left to OpenCV.
#pragma once

#include <cstddef>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// Checks that the file is complete and its size within the limits.
///
/// bytes   start with RIFF, and WEBP at position 8
/// Throws Error: image/truncated, image/corrupt, image/too-large, and image/unsupported-format for
/// animations.
void check_webp(std::span<const std::byte> bytes, const DecodeLimits& limits);

}  // namespace fovea
