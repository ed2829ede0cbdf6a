// The arithmetic that convolutions and pooling windows share.
#pragma once

#include <array>
#include <cstdint>

namespace fovea {

/// Rows and columns added around a picture: top, left, bottom, right; each >= 0.
using Pads = std::array<std::int64_t, 4>;

/// Positions of a window of `kernel` elements, `dilation` apart, that moves by `stride` over `size`
/// elements with `before` and `after` added: floor((size + before + after - (kernel-1)*dilation -
/// 1) / stride) + 1, or 0 where the window does not fit.
///
/// Throws InvalidArgument unless before and after are >= 0, the others >= 1, and all below 2^31.
[[nodiscard]] std::int64_t window_positions(std::int64_t size,
                                            std::int64_t before,
                                            std::int64_t after,
                                            std::int64_t kernel,
                                            std::int64_t stride,
                                            std::int64_t dilation = 1);

/// Keras's and TensorFlow's "same": {before, after} for ceil(size / stride) positions; the odd
/// element goes after. Throws InvalidArgument unless all are >= 1 and below 2^31.
/// Source: _compute_padding_length in keras/src/backend/torch/nn.py.
[[nodiscard]] std::array<std::int64_t, 2> same_padding(std::int64_t size,
                                                       std::int64_t kernel,
                                                       std::int64_t stride,
                                                       std::int64_t dilation = 1);

/// Caffe's and ONNX's ceil mode as a padding: what to add after, in place of `after`, for
/// ceil((size + before + after - kernel) / stride) + 1 positions, less those that start beyond the
/// picture. Where no window fits even so, `after` itself. At most kernel - 1 otherwise.
/// Throws InvalidArgument as window_positions does.
[[nodiscard]] std::int64_t ceil_mode_padding(std::int64_t size,
                                             std::int64_t before,
                                             std::int64_t after,
                                             std::int64_t kernel,
                                             std::int64_t stride);

/// Elements [begin, end) of a window; empty where begin >= end.
struct Taps {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// The elements k of a window whose first one lies at `start` (negative in the padding) that fall
/// on a picture's side of `size`: 0 <= start + k * dilation < size.
[[nodiscard]] Taps taps_inside(std::int64_t size,
                               std::int64_t start,
                               std::int64_t kernel,
                               std::int64_t dilation = 1);

}  // namespace fovea
