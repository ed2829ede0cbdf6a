// The table that the resizing kernels read, made on the host: weights come from doubles and sines,
// which are Pillow's to the last bit only here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <fovea/preprocess.h>

namespace fovea::cuda {

/// What the pictures of a batch are at most.
struct PictureLimits {
  std::int64_t pictures = 0;  ///< >= 0
  int width = 0;              ///< pixels, 1 to kLargestSide
  int height = 0;             ///< likewise
};

/// The most pixels that a side of a picture may have which a device resizes. What is kept for the
/// workspace and the table of a batch is in proportion to it: 22 MB and 0.8 MB for 32 pictures,
/// bilinear to 224 x 224. Photographs that are larger take more bytes than a batch has room for.
inline constexpr int kLargestPicture = 1'024;

/// What a batch takes beside its pixels.
struct PictureTableBytes {
  std::size_t table = 0;      ///< of the table, on the host and on the device
  std::size_t workspace = 0;  ///< on the device, between the passes
};

/// Upper bounds for every batch within the limits: for buffers that are allocated once.
///
/// A picture takes sizeof(ResizePicture) and, for an axis of `out` positions, 4 * out * (2 + taps)
/// bytes, taps <= 2 * support * max(1, ratio) + 2 with the filter's support of 0.5 to 3 pixels:
/// 14 KB for 500 x 375 to 224 x 224 bilinear. Its workspace is what is larger of one output row for
/// every source row, and one source row for every output row; none for kNearest.
///
/// Throws InvalidArgument for a spec without a size, limits out of range, or a table of more than
/// 2^31 words.
[[nodiscard]] PictureTableBytes most_picture_table_bytes(const PreprocessSpec& spec,
                                                         const PictureLimits& limits);

/// Writes the table of a batch: kernels::ResizePicture for every picture, and behind them the taps
/// of their axes, once for axes that are equal. The kernels then give the bytes of ResizeImage.
///
/// pictures  [n][3]: width, height and offset of every picture, as ResizeImage reads them
/// capacity  bytes of pixels that the offsets point into
/// table     aligned to 8 bytes, at least most_picture_table_bytes(); any memory, pinned or not
///
/// Returns what the batch uses. Allocates the axes before they are written, does not touch pixels.
/// Throws InvalidArgument for what ResizeImage refuses, or where the table does not fit.
/// Thread-safe.
PictureTableBytes write_picture_table(const PreprocessSpec& spec,
                                      std::span<const std::int64_t> pictures,
                                      std::size_t capacity,
                                      std::span<std::byte> table);

}  // namespace fovea::cuda
