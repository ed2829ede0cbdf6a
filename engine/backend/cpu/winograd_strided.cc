#include "engine/backend/cpu/winograd_strided.h"

#include <algorithm>
#include <vector>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/team.h"
#include "engine/backend/cpu/winograd_weights.h"

namespace fovea::cpu::winograd {

namespace {

/// Where run()'s scratch memory goes on behind the phases, with the alignment that it has.
std::int64_t aligned_phase_floats(const StridedConvolution& conv) {
  return ceil_div(conv.phase_floats(), kLanes) * kLanes;
}

FOVEA_AVX512_INLINE void copy_floats(const float* from, std::int64_t count, float* to) {
  for (; count > kLanes; count -= kLanes, from += kLanes, to += kLanes) {
    _mm512_storeu_ps(to, _mm512_loadu_ps(from));
  }
  const Lanes<true> rest{mask_of(count)};
  rest.store(to, rest.load(from));
}

/// What of `count` pixels from `column` on lies in the row, and zeros for the others.
void copy_at_border(const StridedInput& input, const float* row, std::int64_t column, float* to) {
  for (std::int64_t i = 0; i < input.stride; ++i) {
    const std::int64_t x = column + i;
    float* pixel = to + i * input.channels;
    if (x < 0 || x >= input.width) {
      std::fill_n(pixel, input.channels, 0.0F);
    } else {
      std::copy_n(row + x * input.channels, input.channels, pixel);
    }
  }
}

/// One row of phases, {columns, phase rows, phase columns, channels}.
FOVEA_AVX512 void gather_row(const StridedConvolution& conv,
                             const float* picture,
                             std::int64_t row,
                             float* phases) {
  const StridedInput& input = conv.input;
  const std::int64_t together =
      input.stride * input.channels;  // floats that are neighbours in both
  for (std::int64_t phase = 0; phase < input.stride; ++phase) {
    const std::int64_t y = row * input.stride + phase - input.top;
    const bool inside = y >= 0 && y < input.height;
    const float* from = picture + (inside ? y * input.width * input.channels : 0);
    float* to = phases + phase * together;
    for (std::int64_t column = 0; column < conv.width; ++column, to += conv.channels) {
      const std::int64_t x = column * input.stride - input.left;
      if (!inside) {
        std::fill_n(to, together, 0.0F);
      } else if (x >= 0 && x + input.stride <= input.width) {
        copy_floats(from + x * input.channels, together, to);
      } else {
        copy_at_border(input, from, x, to);
      }
    }
  }
}

}  // namespace

StridedConvolution::StridedConvolution(const StridedInput& pictures,
                                       std::int64_t output_filters,
                                       std::int64_t output_rows,
                                       std::int64_t output_columns)
    : input(pictures) {
  taps = ceil_div(input.kernel, input.stride);
  batch = 1;
  height = output_rows + taps - 1;
  width = output_columns + taps - 1;
  channels = input.stride * input.stride * input.channels;
  filters = output_filters;
  rows = output_rows;
  columns = output_columns;
  input_stride = channels;
  output_stride = filters;
  residual_stride = filters;
}

std::size_t scratch_bytes(const StridedConvolution& conv, const Schedule& schedule) {
  const Convolution& phases = conv;
  return static_cast<std::size_t>(aligned_phase_floats(conv)) * sizeof(float) +
         scratch_bytes(phases, schedule);
}

void pack_weights(const StridedConvolution& conv,
                  const StoredWeights& stored,
                  std::span<float> packed) {
  const StridedInput& input = conv.input;
  const std::int64_t tap_floats = conv.channels;
  const std::int64_t filter_floats = conv.taps * conv.taps * tap_floats;
  std::vector<float> weights(static_cast<std::size_t>(conv.filters * filter_floats));
  for (std::int64_t filter = 0; filter < conv.filters; ++filter) {
    for (std::int64_t row = 0; row < input.kernel; ++row) {
      for (std::int64_t column = 0; column < input.kernel; ++column) {
        const std::int64_t tap = row / input.stride * conv.taps + column / input.stride;
        const std::int64_t phase = row % input.stride * input.stride + column % input.stride;
        const float* from =
            stored.data + filter * stored.filter + row * stored.row + column * stored.column;
        float* to =
            weights.data() + filter * filter_floats + tap * tap_floats + phase * input.channels;
        for (std::int64_t c = 0; c < input.channels; ++c) to[c] = from[c * stored.channel];
      }
    }
  }
  const Convolution& phases = conv;
  pack_weights(phases,
               {.data = weights.data(),
                .filter = filter_floats,
                .row = conv.taps * tap_floats,
                .column = tap_floats,
                .channel = 1},
               packed);
}

void run(const StridedConvolution& conv,
         const Schedule& schedule,
         const Operands<float>& operands) {
  const StridedInput& input = conv.input;
  const Convolution& phases = conv;
  Operands<float> of_picture = operands;
  of_picture.x = operands.scratch;
  of_picture.scratch += aligned_phase_floats(conv);
  const std::int64_t pixels = conv.rows * conv.columns;
  for (std::int64_t i = 0; i < input.pictures; ++i) {
    const float* picture = operands.x + i * input.height * input.width * input.channels;
    run_parts(schedule.threads(), [&](int part) {
      const Range rows = Range::part(0, conv.height, part, schedule.threads());
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        gather_row(conv, picture, row, operands.scratch + row * conv.width * conv.channels);
      }
    });
    run(phases, schedule, of_picture);
    of_picture.y += pixels * conv.output_stride;
    if (of_picture.epilogue.residual != nullptr) {
      of_picture.epilogue.residual += pixels * conv.residual_stride;
    }
  }
}

}  // namespace fovea::cpu::winograd
