// The pictures of a batch that ResizeImage reads: packed bytes, and where each of them lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <fovea/image.h>

namespace fovea {

/// One row of the table.
struct RaggedPicture {
  int width = 0;            ///< pixels, 1 to 16,384
  int height = 0;           ///< likewise
  std::int64_t offset = 0;  ///< of its first byte; its rows are packed
};

/// The format of the pictures that are loaded as `color`.
[[nodiscard]] PixelFormat pixel_format(ColorMode color);

/// Picture `index` of the batch.
///
/// table     [N][3]: width, height and offset of every picture
/// index     below N
/// capacity  bytes of pixels
/// Throws InvalidArgument where the picture has no pixels, a side above 16,384, or does not lie
/// inside the pixels.
[[nodiscard]] RaggedPicture ragged_picture(std::span<const std::int64_t> table,
                                           std::size_t index,
                                           PixelFormat format,
                                           std::size_t capacity);

}  // namespace fovea
