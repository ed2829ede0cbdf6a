// Loops over the channels of many pixels, with every tensor's own distance between its pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/layout.h"

namespace fovea::cpu {

/// What a copy or an element-wise operator goes over: pixels that lie apart, or one long row where
/// nothing lies between them.
struct Rows {
  std::int64_t count = 0;
  std::int64_t length = 0;         ///< floats of a row
  std::int64_t input_stride = 0;   ///< floats from one row to the next
  std::int64_t second_stride = 0;  ///< the same for the second input
  std::int64_t output_stride = 0;
};

/// y = x, with elements of so many bytes in place of floats.
void copy_rows(
    const Rows& rows, std::size_t element_bytes, const std::byte* x, std::byte* y, int threads);

/// y = min(max(x, low), high), NaN for NaN. y may be x.
void clamp_rows(const Rows& rows, const float* x, float* y, float low, float high, int threads);

/// y = max(a + b, low), NaN for NaN. y may be a or b.
void add_rows(const Rows& rows, const float* a, const float* b, float* y, float low, int threads);

/// y = tanh(x). y may be x.
void tanh_rows(const Rows& rows, const float* x, float* y, int threads);

/// y = 1 / (1 + exp(-x)). y may be x.
void sigmoid_rows(const Rows& rows, const float* x, float* y, int threads);

}  // namespace fovea::cpu
