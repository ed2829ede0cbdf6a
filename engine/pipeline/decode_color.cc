#include "engine/pipeline/decode_color.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fovea {

namespace {

/// a * b / 255, rounded to nearest, without a division.
constexpr unsigned multiply_255(unsigned a, unsigned b) {
  const unsigned product = a * b + 128U;
  return ((product >> 8U) + product) >> 8U;
}

Image gray_of(const Image& rgb) {
  Image gray(rgb.width(), rgb.height(), PixelFormat::kGray8);
  const std::uint8_t* in = rgb.data();
  for (std::size_t i = 0; i < gray.bytes(); ++i, in += 3) {
    gray.data()[i] = luma(in[0], in[1], in[2]);
  }
  return gray;
}

Image rgb_of(const Image& gray) {
  Image rgb(gray.width(), gray.height(), PixelFormat::kRgb8);
  std::uint8_t* out = rgb.data();
  for (std::size_t i = 0; i < rgb.bytes() / 3; ++i, out += 3) {
    unsigned value = 0;
    if (gray.format() == PixelFormat::kGray16) {
      std::uint16_t wide = 0;
      std::memcpy(&wide, gray.data() + 2 * i, sizeof wide);
      value = std::min<unsigned>(wide, 255);
    } else {
      value = gray.data()[i];
    }
    out[0] = out[1] = out[2] = static_cast<std::uint8_t>(value);
  }
  return rgb;
}

}  // namespace

Image in_color(Image image, ColorMode color) {
  const bool is_rgb = image.format() == PixelFormat::kRgb8;
  if (color == ColorMode::kRgb && !is_rgb) return rgb_of(image);
  if (color == ColorMode::kGrayscale && is_rgb) return gray_of(image);
  return image;
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
