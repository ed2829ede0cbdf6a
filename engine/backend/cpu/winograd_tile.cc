#include "engine/backend/cpu/winograd_tile.h"

#include <algorithm>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/winograd_points.h"

namespace fovea::cpu::winograd {

namespace {

constexpr std::int64_t kSide = kTileInputs;
constexpr auto kA = static_cast<float>(kNear);
constexpr auto kB = static_cast<float>(kFar);
constexpr float kA2 = kA * kA;
constexpr float kB2 = kB * kB;

/// out[i * step] = row i of B^T times in: the coefficients of the product of (x - p) over all
/// points p but the i-th.
FOVEA_AVX512_INLINE void input_column(const Vector* in, Vector* out, std::int64_t step) {
  const Vector square = _mm512_set1_ps(kA2 * kB2);
  const Vector linear = _mm512_set1_ps(-(kA2 + kB2));
  const Vector minus_a2 = _mm512_set1_ps(-kA2);
  const Vector minus_b2 = _mm512_set1_ps(-kB2);
  out[0] = _mm512_fmadd_ps(square, in[0], _mm512_fmadd_ps(linear, in[2], in[4]));
  const Vector even_a = _mm512_fmadd_ps(minus_b2, in[2], in[4]);
  const Vector odd_a = _mm512_mul_ps(_mm512_set1_ps(kA), _mm512_fmadd_ps(minus_b2, in[1], in[3]));
  out[step] = _mm512_add_ps(even_a, odd_a);
  out[2 * step] = _mm512_sub_ps(even_a, odd_a);
  const Vector even_b = _mm512_fmadd_ps(minus_a2, in[2], in[4]);
  const Vector odd_b = _mm512_mul_ps(_mm512_set1_ps(kB), _mm512_fmadd_ps(minus_a2, in[1], in[3]));
  out[3 * step] = _mm512_add_ps(even_b, odd_b);
  out[4 * step] = _mm512_sub_ps(even_b, odd_b);
  out[5 * step] = _mm512_fmadd_ps(square, in[1], _mm512_fmadd_ps(linear, in[3], in[5]));
}

/// a * x + b * y.
FOVEA_AVX512_INLINE Vector combine(float a, Vector x, float b, Vector y) {
  return _mm512_fmadd_ps(_mm512_set1_ps(a), x, _mm512_mul_ps(_mm512_set1_ps(b), y));
}

/// out[i * step] = row i of A^T times in: the i-th powers of the points; infinity counts in the
/// last row.
template <std::int64_t Outputs>
FOVEA_AVX512_INLINE void output_column(const Vector* in, Vector* out, std::int64_t step) {
  const Vector sum_a = _mm512_add_ps(in[1], in[2]);
  const Vector difference_a = _mm512_sub_ps(in[1], in[2]);
  const Vector sum_b = _mm512_add_ps(in[3], in[4]);
  const Vector difference_b = _mm512_sub_ps(in[3], in[4]);
  out[0] = _mm512_add_ps(in[0], _mm512_add_ps(sum_a, sum_b));
  out[step] = combine(kA, difference_a, kB, difference_b);
  if constexpr (Outputs > 2) out[2 * step] = combine(kA2, sum_a, kB2, sum_b);
  if constexpr (Outputs > 3) {
    out[3 * step] = combine(kA2 * kA, difference_a, kB2 * kB, difference_b);
  }
  Vector& last = out[(Outputs - 1) * step];
  last = _mm512_add_ps(last, in[5]);
}

/// The tile's rows times B, where the whole tile lies in the picture.
template <typename Element, bool Masked>
FOVEA_AVX512_INLINE void transform_rows_inside(const Convolution& conv,
                                               const Element* pixel,
                                               Lanes<Masked> lanes,
                                               Vector* half) {
#pragma GCC unroll 6
  for (int i = 0; i < kSide; ++i) {
    const Element* from = pixel + i * conv.width * conv.input_stride;
    Vector row[kSide];
#pragma GCC unroll 6
    for (int j = 0; j < kSide; ++j) row[j] = lanes.load(from + j * conv.input_stride);
    input_column(row, half + i * kSide, 1);
  }
}

/// The same where a part of the tile is padding.
template <typename Element, bool Masked>
FOVEA_AVX512_INLINE void transform_rows_at_border(const Convolution& conv,
                                                  const Element* picture,
                                                  Lanes<Masked> lanes,
                                                  std::int64_t row,
                                                  std::int64_t column,
                                                  Vector* half) {
  for (int i = 0; i < kSide; ++i) {
    const std::int64_t y = row + i;
    Vector values[kSide];
    for (int j = 0; j < kSide; ++j) {
      const std::int64_t x = column + j;
      const bool inside = y >= 0 && y < conv.height && x >= 0 && x < conv.width;
      values[j] = inside ? lanes.load(picture + (y * conv.width + x) * conv.input_stride)
                         : _mm512_setzero_ps();
    }
    input_column(values, half + i * kSide, 1);
  }
}

template <typename Element, bool Masked>
FOVEA_AVX512 void transform_input_lanes(const Convolution& conv,
                                        const Element* picture,
                                        Lanes<Masked> lanes,
                                        std::int64_t row,
                                        std::int64_t column,
                                        float* out,
                                        std::int64_t stride) {
  Vector half[kSide * kSide];
  const bool inside =
      row >= 0 && column >= 0 && row + kSide <= conv.height && column + kSide <= conv.width;
  if (inside) {
    const Element* pixel = picture + (row * conv.width + column) * conv.input_stride;
    transform_rows_inside(conv, pixel, lanes, half);
  } else {
    transform_rows_at_border(conv, picture, lanes, row, column, half);
  }
#pragma GCC unroll 6
  for (int j = 0; j < kSide; ++j) {
    Vector values[kSide];
    Vector transformed[kSide];
#pragma GCC unroll 6
    for (int i = 0; i < kSide; ++i) values[i] = half[i * kSide + j];
    input_column(values, transformed, 1);
#pragma GCC unroll 6
    for (int i = 0; i < kSide; ++i) {
      _mm512_storeu_ps(out + (i * kSide + j) * stride, transformed[i]);
    }
  }
}

template <std::int64_t Outputs, typename Element, bool Masked>
FOVEA_AVX512 void transform_output_lanes(const Convolution& conv,
                                         const float* in,
                                         std::int64_t stride,
                                         const EpilogueOf<Element>& epilogue,
                                         Element* picture,
                                         Lanes<Masked> lanes,
                                         std::int64_t row,
                                         std::int64_t column) {
  Vector half[Outputs * kSide];
#pragma GCC unroll 6
  for (int j = 0; j < kSide; ++j) {
    Vector values[kSide];
#pragma GCC unroll 6
    for (int i = 0; i < kSide; ++i) values[i] = _mm512_loadu_ps(in + (i * kSide + j) * stride);
    output_column<Outputs>(values, half + j, kSide);
  }
  const Vector bias = _mm512_loadu_ps(epilogue.bias);
  const Vector low = _mm512_loadu_ps(epilogue.low);
  const Vector high = _mm512_loadu_ps(epilogue.high);
  const std::int64_t rows = std::min(Outputs, conv.rows - row);
  const std::int64_t columns = std::min(Outputs, conv.columns - column);
  for (std::int64_t i = 0; i < rows; ++i) {
    Vector values[Outputs];
    output_column<Outputs>(half + i * kSide, values, 1);
    const std::int64_t first = (row + i) * conv.columns + column;
    for (std::int64_t j = 0; j < columns; ++j) {
      Vector value = _mm512_add_ps(values[j], bias);
      if (epilogue.residual != nullptr) {
        const Element* residual = epilogue.residual + (first + j) * conv.residual_stride;
        value = _mm512_add_ps(value, lanes.load(residual));
      }
      lanes.store(picture + (first + j) * conv.output_stride, clamp(value, low, high));
    }
  }
}

}  // namespace

template <typename Element>
void transform_input(const Convolution& conv,
                     const Element* picture,
                     std::int64_t lanes,
                     std::int64_t row,
                     std::int64_t column,
                     float* out,
                     std::int64_t stride) {
  const __mmask16 mask = mask_of(lanes);
  if (lanes == kLanes) {
    transform_input_lanes(conv, picture, Lanes<false>{mask}, row, column, out, stride);
  } else {
    transform_input_lanes(conv, picture, Lanes<true>{mask}, row, column, out, stride);
  }
}

template <typename Element>
void transform_output(const Convolution& conv,
                      const float* in,
                      std::int64_t stride,
                      const EpilogueOf<Element>& epilogue,
                      Element* picture,
                      std::int64_t lanes,
                      std::int64_t row,
                      std::int64_t column) {
  const auto transform = [&](auto mask) {
    switch (conv.tile_outputs()) {
      case 4:
        return transform_output_lanes<4>(conv, in, stride, epilogue, picture, mask, row, column);
      case 3:
        return transform_output_lanes<3>(conv, in, stride, epilogue, picture, mask, row, column);
      default:
        return transform_output_lanes<2>(conv, in, stride, epilogue, picture, mask, row, column);
    }
  };
  const __mmask16 mask = mask_of(lanes);
  if (lanes == kLanes) {
    transform(Lanes<false>{mask});
  } else {
    transform(Lanes<true>{mask});
  }
}

template void transform_input(const Convolution&,
                              const float*,
                              std::int64_t,
                              std::int64_t,
                              std::int64_t,
                              float*,
                              std::int64_t);
template void transform_input(const Convolution&,
                              const Bf16*,
                              std::int64_t,
                              std::int64_t,
                              std::int64_t,
                              float*,
                              std::int64_t);
template void transform_output(const Convolution&,
                               const float*,
                               std::int64_t,
                               const EpilogueOf<float>&,
                               float*,
                               std::int64_t,
                               std::int64_t,
                               std::int64_t);
template void transform_output(const Convolution&,
                               const float*,
                               std::int64_t,
                               const EpilogueOf<Bf16>&,
                               Bf16*,
                               std::int64_t,
                               std::int64_t,
                               std::int64_t);

}  // namespace fovea::cpu::winograd
