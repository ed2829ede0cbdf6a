// PNM: PBM, PGM and PPM, binary and plain.
#pragma once

#include <cstddef>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// The picture as kGray8 (P1, P2, P4, P5) or kRgb8 (P3, P6). Values are scaled from the file's
/// largest value to 255 as Pillow does, half to even.
///
/// bytes   start with P1 to P6 and white space or a comment
/// Throws Error: image/truncated, image/corrupt, image/too-large, and image/unsupported-format for
/// gray values of more than 8 bits.
[[nodiscard]] Image decode_pnm(std::span<const std::byte> bytes, const DecodeLimits& limits);

}  // namespace fovea
