// The two passes of a separable resampling over 8-bit rows, in plain C++ and in SIMD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/resample_axis.h"

namespace fovea {

/// An axis with its weights in fixed point.
struct ResampleTaps {
  ResampleAxis axis;
  std::vector<std::int32_t> weights;  ///< fixed_point_weights(axis)

  explicit ResampleTaps(ResampleAxis from)
      : axis(std::move(from)), weights(fixed_point_weights(axis)) {}
};

/// Rows of bytes that someone else owns.
template <typename Byte>
struct Rows {
  Byte* data = nullptr;
  std::ptrdiff_t stride = 0;  ///< bytes from one row to the next

  [[nodiscard]] Byte* operator[](std::ptrdiff_t row) const { return data + row * stride; }
};

using ConstRows = Rows<const std::uint8_t>;
using MutableRows = Rows<std::uint8_t>;

/// The sum of bytes times weights, rounded and cut to a byte. |sum| stays below 2^31: normalised
/// weights are less than two in sum of magnitudes.
[[nodiscard]] constexpr std::uint8_t resample_byte(std::int32_t sum) {
  const std::int32_t value = sum >> kResampleBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

/// What a sum starts with: one half, for rounding.
inline constexpr std::int32_t kResampleHalf = 1 << (kResampleBits - 1);

/// One implementation of the passes. All give the same bytes.
struct ResampleKernels {
  const char* name;

  /// out[y][x] = sum over t of weights[x][t] * in[y][first[x] + t], per channel, for y < rows.
  ///
  /// row_bytes   of the input; reads, but does not use, bytes between the rows
  /// channels    1 or 3
  void (*horizontal)(ConstRows in,
                     int rows,
                     std::size_t row_bytes,
                     int channels,
                     const ResampleTaps& taps,
                     MutableRows out);

  /// out[y][i] = sum over t of weights[y][t] * in[first[y] + t][i] for i < row_bytes.
  void (*vertical)(ConstRows in, std::size_t row_bytes, const ResampleTaps& taps, MutableRows out);
};

/// Plain C++, on every machine; what the others are tested against.
[[nodiscard]] const ResampleKernels& scalar_resample_kernels();

/// The kernels in SIMD, or nullptr where this machine has none.
[[nodiscard]] const ResampleKernels* simd_resample_kernels();

/// The fastest of them.
[[nodiscard]] const ResampleKernels& resample_kernels();

}  // namespace fovea
