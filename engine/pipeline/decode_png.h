// PNG through libpng.
#pragma once

#include <cstddef>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// The picture as kGray8, kGray16 (16 bits of gray without alpha) or kRgb8 (colour and palettes).
/// As in Pillow: alpha and transparent colours are dropped, not blended; of 16-bit colours the
/// upper byte is kept; gray of 1, 2 and 4 bits is scaled to 8; gamma is not applied.
///
/// bytes   start with PNG's signature
/// Throws Error: image/truncated, image/corrupt, image/too-large.
[[nodiscard]] Image decode_png(std::span<const std::byte> bytes, const DecodeLimits& limits);

}  // namespace fovea
