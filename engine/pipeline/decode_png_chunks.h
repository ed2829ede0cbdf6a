// PNG: what is checked before the pixels are left to libpng.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <fovea/image.h>

namespace fovea {

/// Checks the size and that every chunk up to the end chunk is complete, and returns the file with
/// nothing but the chunks that make the pixels: IHDR, PLTE, IDAT, IEND. The others (compressed text
/// that may grow a thousandfold, transparency, gamma, colour profiles, animation, orientation) have
/// no say in Pillow's pixels. Checksums are left to the decoder.
///
/// bytes   start with PNG's signature
/// Throws Error: image/truncated, image/corrupt, image/too-large.
[[nodiscard]] std::vector<std::byte> checked_png(std::span<const std::byte> bytes,
                                                 const DecodeLimits& limits);

}  // namespace fovea
