// The pictures of a batch that ResizeImage reads: packed bytes, and where each of them lies.
//
// A picture that has been resized already has 0 for its width and its height. That it has the
// size of the result does not tell: of a picture of that size, Fit::kCentreCrop keeps a part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <fovea/image.h>

#include "engine/core/largest_side.h"
#include "engine/core/resample.h"

namespace fovea {

/// What one row of the table says.
struct RaggedPicture {
  int width = 0;            ///< pixels, 1 to kLargestSide
  int height = 0;           ///< likewise
  std::int64_t offset = 0;  ///< of its first byte; its rows are packed
  bool resized = false;     ///< it is taken as it is, and has the spec's size

  /// How the spec is carried out on it. Throws as resize_geometry() does.
  [[nodiscard]] ResizeGeometry geometry(const PreprocessSpec& spec) const;
};

/// Columns of the table: width, height and offset.
inline constexpr std::size_t kRaggedColumns = 3;

/// The format of the pictures that are loaded as `color`.
[[nodiscard]] PixelFormat pixel_format(ColorMode color);

/// Picture `index` of the batch.
///
/// table     [N][3]: width, height and offset of every picture; both sizes 0: it is resized
/// index     below N
/// spec      of the ResizeImage: the colour of all pictures, and the size of resized ones
/// capacity  bytes of pixels
/// Throws InvalidArgument where the picture has no pixels, a side above kLargestSide, or does not
/// lie inside the pixels.
[[nodiscard]] RaggedPicture ragged_picture(std::span<const std::int64_t> table,
                                           std::size_t index,
                                           const PreprocessSpec& spec,
                                           std::size_t capacity);

}  // namespace fovea
