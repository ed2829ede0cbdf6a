// Pillow's conversions between colour spaces, on rows of bytes.
//
// Source: the formulas of Pillow's src/libImaging/Convert.c.
#pragma once

#include <cstddef>
#include <cstdint>

#include <fovea/image.h>

namespace fovea {

/// ITU-R 601 luma with 16 fraction bits, rounded: Pillow's "L".
[[nodiscard]] constexpr std::uint8_t luma(unsigned red, unsigned green, unsigned blue) {
  return static_cast<std::uint8_t>((19'595U * red + 38'470U * green + 7'471U * blue + 0x8000U) >>
                                   16U);
}

/// The picture in the mode that load_img asks for. RGB from gray: the value three times, of 16 bits
/// cut to 255 (not scaled). Grayscale: luma of RGB; gray stays what it is, of 8 or 16 bits.
[[nodiscard]] Image in_color(Image image, ColorMode color);

/// CMYK as JPEG files hold it, inverted (255 is no ink): what Pillow makes of any JPEG with four
/// components. rgb[3i + c] = k - round((255 - inks[4i + c]) * k / 255) with k = inks[4i + 3]; they
/// must not overlap.
void inverted_cmyk_to_rgb(const std::uint8_t* inks, std::size_t pixels, std::uint8_t* rgb);

}  // namespace fovea
