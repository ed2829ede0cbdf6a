// Strided convolutions by Winograd's algorithm.
//
// A convolution of stride s is one of stride 1 on the s x s phases of its picture, side by side as
// channels:
//
//   y[i] = sum over k of w[k] x[s i + k]                  k = s a + p, with the phase p below s
//        = sum over a, p of w[s a + p] x_p[i + a]         x_p[u] = x[s u + p]
//
// so 7x7 taps of stride 2 on 3 channels are 4x4 taps on 12, and 11x11 taps of stride 4 are 3x3 on
// 48; taps beyond the kernel are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/backend/cpu/winograd_run.h"

namespace fovea::cpu::winograd {

/// The pictures of a strided convolution, dense, channels last.
struct StridedInput {
  std::int64_t pictures = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t kernel = 0;  ///< rows and columns
  std::int64_t stride = 0;  ///< of rows and columns, at least 2
  std::int64_t top = 0;     ///< zeros above the first row
  std::int64_t left = 0;    ///< zeros before the first column
};

/// The convolution that one picture's phases have, and what they are phases of.
struct StridedConvolution : Convolution {
  /// With the strides of dense outputs.
  StridedConvolution(const StridedInput& pictures,
                     std::int64_t output_filters,
                     std::int64_t output_rows,
                     std::int64_t output_columns);

  /// Floats of the phases of one picture, {height, width, channels}.
  [[nodiscard]] std::int64_t phase_floats() const { return height * width * channels; }

  StridedInput input;
};

/// As for a Convolution; picture by picture.
[[nodiscard]] std::size_t scratch_bytes(const StridedConvolution& conv, const Schedule& schedule);

/// Transforms the weights of the strided convolution.
void pack_weights(const StridedConvolution& conv,
                  const StoredWeights& stored,
                  std::span<float> packed);

/// As for a Convolution.
void run(const StridedConvolution& conv, const Schedule& schedule, const Operands<float>& operands);

}  // namespace fovea::cpu::winograd
