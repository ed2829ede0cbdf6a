#include "engine/pipeline/decode_color.h"

namespace fovea {

namespace {

/// a * b / 255, rounded to nearest, without a division.
constexpr unsigned multiply_255(unsigned a, unsigned b) {
  const unsigned product = a * b + 128U;
  return ((product >> 8U) + product) >> 8U;
}

}  // namespace

void rgb_to_gray(const std::uint8_t* rgb, std::size_t pixels, std::uint8_t* gray) {
  for (std::size_t i = 0; i < pixels; ++i, rgb += 3) gray[i] = luma(rgb[0], rgb[1], rgb[2]);
}

void gray_to_rgb(const std::uint8_t* gray, std::size_t pixels, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < pixels; ++i, rgb += 3) rgb[0] = rgb[1] = rgb[2] = gray[i];
}

void inverted_cmyk_to_rgb(const std::uint8_t* inks, std::size_t pixels, std::uint8_t* rgb) {
  // In Pillow's order: (255 - K) - (C * (255 - K)) / 255 with the inks turned back, C = 255 - c.
  for (std::size_t i = 0; i < pixels; ++i, inks += 4, rgb += 3) {
    const unsigned white = inks[3];
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[c] = static_cast<std::uint8_t>(white - multiply_255(255U - inks[c], white));
    }
  }
}

}  // namespace fovea
