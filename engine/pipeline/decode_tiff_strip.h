// The compressions of TIFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/pipeline/decode_tiff_directory.h"

namespace fovea {

/// Fills `out` from one strip. What the strip holds beyond that is ignored.
/// Throws Error: image/corrupt where the strip is damaged or holds less.
void decompress_tiff_strip(TiffCompression compression,
                           std::span<const std::byte> strip,
                           std::span<std::uint8_t> out);

}  // namespace fovea
