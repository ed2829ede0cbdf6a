#include "engine/backend/cpu/rows.h"

#include <cmath>
#include <cstring>

#include "engine/backend/cpu/range.h"
#include "engine/backend/cpu/simd.h"

namespace fovea::cpu {

namespace {

/// Less work than this does not pay for waking a thread.
constexpr std::int64_t kFloatsForThreads = 1 << 15;

/// Calls function(row, first, length) over all rows; one long row is cut into a piece per thread.
template <typename Function>
void for_rows(const Rows& rows, int threads, Function function) {
  if (rows.count * rows.length < kFloatsForThreads) threads = 1;
  if (threads == 1) {
    for (std::int64_t row = 0; row < rows.count; ++row) function(row, 0, rows.length);
    return;
  }
  const std::int64_t pieces = rows.count == 1 ? threads : 1;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t i = 0; i < rows.count * pieces; ++i) {
    const Range part = Range::part(0, rows.length, i % pieces, pieces);
    function(i / pieces, part.begin, part.size());
  }
}

FOVEA_CLONES void clamp_row(const float* x, float* y, std::int64_t count, float low, float high) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float raised = x[i] < low ? low : x[i];
    y[i] = raised > high ? high : raised;
  }
}

FOVEA_CLONES void add_row(const float* a, const float* b, float* y, std::int64_t count, float low) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float sum = a[i] + b[i];
    y[i] = sum < low ? low : sum;
  }
}

}  // namespace

void copy_rows(
    const Rows& rows, std::size_t element_bytes, const std::byte* x, std::byte* y, int threads) {
  const auto size = static_cast<std::int64_t>(element_bytes);
  for_rows(rows, threads, [&](std::int64_t row, std::int64_t first, std::int64_t count) {
    std::memcpy(y + (row * rows.output_stride + first) * size,
                x + (row * rows.input_stride + first) * size,
                static_cast<std::size_t>(count * size));
  });
}

void clamp_rows(const Rows& rows, const float* x, float* y, float low, float high, int threads) {
  for_rows(rows, threads, [&](std::int64_t row, std::int64_t first, std::int64_t count) {
    clamp_row(x + row * rows.input_stride + first,
              y + row * rows.output_stride + first,
              count,
              low,
              high);
  });
}

void add_rows(const Rows& rows, const float* a, const float* b, float* y, float low, int threads) {
  for_rows(rows, threads, [&](std::int64_t row, std::int64_t first, std::int64_t count) {
    add_row(a + row * rows.input_stride + first,
            b + row * rows.second_stride + first,
            y + row * rows.output_stride + first,
            count,
            low);
  });
}

void tanh_rows(const Rows& rows, const float* x, float* y, int threads) {
  for_rows(rows, threads, [&](std::int64_t row, std::int64_t first, std::int64_t count) {
    const float* in = x + row * rows.input_stride + first;
    float* out = y + row * rows.output_stride + first;
    for (std::int64_t i = 0; i < count; ++i) out[i] = std::tanh(in[i]);
  });
}

void sigmoid_rows(const Rows& rows, const float* x, float* y, int threads) {
  for_rows(rows, threads, [&](std::int64_t row, std::int64_t first, std::int64_t count) {
    const float* in = x + row * rows.input_stride + first;
    float* out = y + row * rows.output_stride + first;
    for (std::int64_t i = 0; i < count; ++i) out[i] = 1.0F / (1.0F + std::exp(-in[i]));
  });
}

}  // namespace fovea::cpu
