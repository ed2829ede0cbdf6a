#include "engine/backend/cpu/pool_window.h"

#include <algorithm>

#include "engine/backend/cpu/pool_pixels.h"
#include "engine/backend/cpu/simd.h"

namespace fovea::cpu {

namespace {

FOVEA_CLONES void take_larger(const float* x, float* y, std::int64_t channels) {
  // NOLINTNEXTLINE(misc-redundant-expression): a NaN, without a call that would not be vectorised
  for (std::int64_t c = 0; c < channels; ++c) y[c] = x[c] > y[c] || x[c] != x[c] ? x[c] : y[c];
}

FOVEA_CLONES void add_to(const float* x, float* y, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; ++c) y[c] += x[c];
}

FOVEA_CLONES void make_mean(float* y, std::int64_t channels, const PoolMean& finish) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const float mean = y[c] / finish.divisor;
    const float raised = mean < finish.low ? finish.low : mean;
    y[c] = raised > finish.high ? finish.high : raised;
  }
}

template <typename Take>
void for_pixels(const PoolPixels& pixels, Take take) {
  for (std::int64_t r = 0; r < pixels.rows; ++r) {
    const float* x = pixels.x + r * pixels.row_stride;
    for (std::int64_t s = 0; s < pixels.columns; ++s, x += pixels.stride) take(x);
  }
}

void largest(const PoolPixels& pixels, float* y, std::int64_t channels) {
  std::copy_n(pixels.x, channels, y);
  for_pixels(pixels, [=](const float* x) { take_larger(x, y, channels); });
}

void mean(const PoolPixels& pixels, float* y, std::int64_t channels, const PoolMean& finish) {
  std::fill_n(y, channels, 0.0F);
  for_pixels(pixels, [=](const float* x) { add_to(x, y, channels); });
  make_mean(y, channels, finish);
}

/// What computes one pixel on this processor.
struct Kernels {
  LargestOfPixels* largest_of = avx512_largest() != nullptr ? avx512_largest() : largest;
  MeanOfPixels* mean_of = avx512_mean() != nullptr ? avx512_mean() : mean;
};

/// One row of outputs; `line` counts those of all pictures.
void pool_line(
    const PoolWindow& window, const Kernels& kernels, const float* x, float* y, std::int64_t line) {
  const std::int64_t row = line % window.rows.outputs;
  const std::int64_t picture = line / window.rows.outputs;
  const Taps rows = window.rows.inside(row);
  const std::int64_t first_row =
      picture * window.rows.inputs + window.rows.first_input(row) + rows.begin;
  for (std::int64_t column = 0; column < window.columns.outputs; ++column) {
    const Taps columns = window.columns.inside(column);
    const std::int64_t first_column = window.columns.first_input(column) + columns.begin;
    const PoolPixels pixels{
        .x = x + (first_row * window.columns.inputs + first_column) * window.input_stride,
        .rows = rows.end - rows.begin,
        .columns = columns.end - columns.begin,
        .row_stride = window.columns.inputs * window.input_stride,
        .stride = window.input_stride};
    float* out = y + (line * window.columns.outputs + column) * window.output_stride;
    if (!window.average) {
      kernels.largest_of(pixels, out, window.channels);
      continue;
    }
    const std::int64_t count = window.count_padding ? window.rows.kernel * window.columns.kernel
                                                    : pixels.rows * pixels.columns;
    const PoolMean finish{static_cast<float>(count), window.low, window.high};
    kernels.mean_of(pixels, out, window.channels, finish);
  }
}

}  // namespace

void pool(const PoolWindow& window, const float* x, float* y, int threads) {
  const std::int64_t lines = window.batch * window.rows.outputs;
  const Kernels kernels;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
  for (std::int64_t line = 0; line < lines; ++line) pool_line(window, kernels, x, y, line);
}

}  // namespace fovea::cpu
