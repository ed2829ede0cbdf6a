// Pictures from a formula, the same in every language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include <fovea/image.h>

#include "engine/core/digest.h"

namespace fovea::test {

/// Value i of the picture, in memory order, is the top 8 (16) bits of i * 2654435761 mod 2^32. In
/// Python, with NumPy as np and PIL's Image:
///
///   def picture(width, height, kind):  # "rgb", "gray", "gray16"
///       i = np.arange(width * height * (3 if kind == "rgb" else 1), dtype=np.uint64)
///       value = (i * 2654435761 % 2**32) >> (16 if kind == "gray16" else 24)
///       shape = (height, width, 3) if kind == "rgb" else (height, width)
///       dtype = np.uint16 if kind == "gray16" else np.uint8
///       return Image.fromarray(value.astype(dtype).reshape(shape))
inline Image formula_picture(int width, int height, PixelFormat format) {
  Image image(width, height, format);
  const std::size_t value_bytes = format == PixelFormat::kGray16 ? 2 : 1;
  for (std::size_t i = 0; i < image.bytes() / value_bytes; ++i) {
    const std::uint32_t hash = static_cast<std::uint32_t>(i) * 2654435761U;
    const auto wide = static_cast<std::uint16_t>(hash >> 16U);
    const auto narrow = static_cast<std::uint8_t>(hash >> 24U);
    if (value_bytes == 2) {
      std::memcpy(image.data() + 2 * i, &wide, 2);
    } else {
      image.data()[i] = narrow;
    }
  }
  return image;
}

/// sha256 of the pixels: hashlib.sha256(np.asarray(image).tobytes()).hexdigest() in Python.
inline std::string pixel_hash(const Image& image) {
  return sha256(std::as_bytes(std::span(image.data(), image.bytes())));
}

}  // namespace fovea::test
