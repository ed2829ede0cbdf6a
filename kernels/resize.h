// Pictures of a ragged batch, resampled as Pillow does to the last bit, and on to a network's
// input.
//
// Two launches whatever the pictures: the first pass of every picture into bytes between the
// passes, in the workspace; then the second pass, with what makes elements of them. Nothing that
// depends on the pictures is in a launch's arguments, so that a captured launch serves every batch.
//
// The bytes between the passes make a round trip through memory. For bilinear 500 x 375 to 224 x
// 224, colour, that is 2 * 252,000 bytes beside 562,500 read and 602,112 written (four float
// channels); a fused kernel would save them, read every source row 1.3 times and need up to 70 KB
// of shared memory a block for a ratio of 73. By its bytes all of it is a thirtieth of the time
// that the picture takes to arrive over the bus, so there is one form for every size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

/// Fraction bits of the weights: a byte times a weight, and two bits for negative lobes.
inline constexpr int kResizeBits = 32 - 8 - 2;

/// The taps of one axis, as 32-bit words of the table: `positions` first source positions, as many
/// numbers of taps, then weights[tap][position] in fixed point up to the largest number of taps. A
/// position without taps is zero.
struct ResizeAxis {
  std::int32_t words = 0;      ///< index of the first one, counted from the table's start
  std::int32_t positions = 0;  ///< output columns or rows, >= 1
};

/// Pixels between the passes that one block makes at a time.
inline constexpr std::int32_t kResizeTile = 256;

/// The most pixels that a side of a picture may have, before and afterwards.
inline constexpr int kMostResizeSide = 16'384;

/// Tiles of a first pass that makes width * height pixels, each at most kMostResizeSide.
[[nodiscard]] constexpr std::int32_t resize_tiles(std::int32_t width, std::int32_t height) {
  return (width * height + kResizeTile - 1) / kResizeTile;
}

/// A picture of a batch, and how it is resampled.
struct ResizePicture {
  std::int64_t pixels = 0;      ///< index of its first byte in ResizeArgs::pixels; rows are packed
  std::int64_t between = 0;     ///< index in the workspace of its bytes between the passes
  std::int64_t first_tile = 0;  ///< sum of `tiles` of the pictures before it
  std::int32_t width = 0;       ///< of the source, pixels
  std::int32_t origin = 0;      ///< source row that row 0 between the passes is made of, or column
                                ///< where vertical_first
  std::int32_t between_width = 0;   ///< pixels between the passes. Both 0 without a first pass: its
  std::int32_t between_height = 0;  ///< axis then has at most one tap a position, of weight 1
  std::int32_t tiles = 0;           ///< resize_tiles() of these two
  std::int32_t vertical_first = 0;  ///< 1 where the first pass goes down the rows, else 0
  ResizeAxis columns{};
  ResizeAxis rows{};
};

/// A batch and the size that all its pictures get.
struct ResizeArgs {
  const std::uint8_t* pixels = nullptr;  ///< device: the packed rows of the pictures
  const ResizePicture* table = nullptr;  ///< device: `n` pictures, and behind them the axes' words
  std::uint8_t* workspace = nullptr;     ///< device: the bytes between the passes
  std::size_t workspace_bytes = 0;       ///< >= those of every table that is used with these
                                         ///< arguments; 0 where no picture has a first pass
  std::int64_t n = 0;                    ///< pictures, >= 0; nothing is launched for 0
  int height = 0;                        ///< of the result, 1 to kMostResizeSide; every axis
  int width = 0;                         ///< has as many positions
  int channels = 3;                      ///< of source and result, 1 or 3
};

/// y[i][r][c] = picture i resampled: y is device, u8, dense [n][height][width][channels]; it must
/// not overlap anything that is read.
///
/// The table is trusted: what it points at outside of the buffers is read and written. Does not
/// wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or
/// n * ceil(height * width / 256) is 2^31 or more.
[[nodiscard]] cudaError_t resize(const ResizeArgs& args, std::uint8_t* y, cudaStream_t stream);

/// What normalises a resized picture: NormalizeArgs without its pixels.
struct ResizeNormalizeArgs {
  ElementType type = ElementType::kFloat32;  ///< of y
  void* y = nullptr;           ///< device, dense [n][height][width][out_channels]; must not overlap
                               ///< anything that is read
  int out_channels = 3;        ///< at least the pictures' channels; the others are zero
  bool swap_red_blue = false;  ///< only where pictures have 3 channels
  float divisor = 1.0F;
  std::array<float, 3> mean{};
  std::array<float, 3> scale{1.0F, 1.0F, 1.0F};
};

/// normalize() of what resize() gives, without the bytes in between: every bit is the same.
///
/// Conditions and errors as of resize().
[[nodiscard]] cudaError_t resize_normalize(const ResizeArgs& args,
                                           const ResizeNormalizeArgs& normalize,
                                           cudaStream_t stream);

}  // namespace fovea::kernels
