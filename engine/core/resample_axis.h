// One axis of Pillow's resampling as tables: computed once, used for every row or column, on the
// host or on a device.
//
// Source: see resample.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <fovea/preprocess.h>

namespace fovea {

/// Fraction bits of the fixed-point weights: a byte times a weight, and two bits for negative
/// lobes.
inline constexpr int kResampleBits = 32 - 8 - 2;

/// Positions of one axis: of its output all of them, or the part that a crop keeps.
struct OutputRange {
  int size = 0;   ///< positions that the axis has, of an output those it is resampled to, >= 1
  int first = 0;  ///< in [0, size)
  int count = 0;  ///< in [1, size - first]
};

/// For every wanted output position the input positions it is made of, and their weights.
struct ResampleAxis {
  std::vector<int> first;  ///< [count] first input position
  std::vector<int> count;  ///< [count] number of input positions, >= 1
  std::size_t taps = 0;    ///< largest count: the distance between the weights of two positions
  std::vector<double> weights;  ///< [count][taps], normalised; 0 from `count` on
};

/// The filter scaled to the axis: as wide as an input pixel when enlarging, as an output pixel when
/// shrinking, and cut at the picture's edges.
///
/// size          input positions, >= 1
/// begin, end    the part that is resampled, 0 <= begin <= end <= size
/// interpolation not kNearest
[[nodiscard]] ResampleAxis resample_axis(
    int size, float begin, float end, const OutputRange& out, Interpolation interpolation);

/// Pillow's condition: an axis that keeps its size and is not cut is copied, not resampled.
[[nodiscard]] constexpr bool needs_resampling(int size, float begin, float end, int out_size) {
  return out_size != size || begin != 0.0F || end != static_cast<float>(size);
}

/// The input positions that the axis uses, of `size`: first and last ones grow along it.
[[nodiscard]] OutputRange used_positions(const ResampleAxis& axis, int size);

/// An upper bound of `taps` for up to `size` input positions that become `out_size` or more.
[[nodiscard]] std::size_t most_taps(int size, int out_size, Interpolation interpolation);

/// The weights in fixed point with kResampleBits, rounded half away from zero; [count][taps].
[[nodiscard]] std::vector<std::int32_t> fixed_point_weights(const ResampleAxis& axis);

/// How kNearest finds its input positions: Pillow sums up the steps between them for bytes, and
/// multiplies them out for 16-bit pictures. Where a position falls on the edge between two pixels,
/// the rounding errors of either decide.
enum class NearestWalk : std::uint8_t { kSum, kProduct };

/// kNearest: the input position of every wanted output position, or -1 where it lies behind the
/// picture (Pillow leaves such pixels 0).
[[nodiscard]] std::vector<int> nearest_axis(
    int size, float begin, float end, const OutputRange& out, NearestWalk walk);

/// Whether the vertical pass comes before the horizontal one. The result between the passes is
/// rounded to bytes, so the order shows in the last bit.
/// Source: Pillow 13 (older versions always went horizontally first); the sizes are the whole
/// picture's, whatever the box.
[[nodiscard]] constexpr bool vertical_pass_first(int width,
                                                 int height,
                                                 int out_width,
                                                 int out_height) {
  return out_height < height && height - out_height > 2 * (width - out_width);
}

}  // namespace fovea
