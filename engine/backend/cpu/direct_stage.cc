#include "engine/backend/cpu/direct_stage.h"

#include <algorithm>

#include "engine/backend/cpu/avx512.h"

namespace fovea::cpu::direct {

namespace {

void copy_pixel(const Convolution& conv, const float* from, float* to) {
  if (!conv.input_relu) {
    std::copy_n(from, conv.channels, to);
    return;
  }
  for (std::int64_t c = 0; c < conv.channels; ++c) to[c] = from[c] < 0.0F ? 0.0F : from[c];
}

}  // namespace

Axes::Axes(const Convolution& conv, const Schedule& schedule)
    : along(schedule.down_columns ? conv.rows : conv.columns),
      across(schedule.down_columns ? conv.columns : conv.rows) {
  if (conv.pointwise()) {
    along = {.inputs = conv.pixels(), .outputs = conv.pixels()};
    across = {};
    return;
  }
  (schedule.down_columns ? along_pixels : across_pixels) = conv.columns.inputs;
  (schedule.down_columns ? out_along_pixels : out_across_pixels) = conv.columns.outputs;
}

Range Axes::inputs_of(Range lines) const {
  const std::int64_t begin = std::max<std::int64_t>(0, across.first_input(lines.begin));
  const std::int64_t end = across.first_input(lines.end - 1) + across.span(1);
  return {begin, std::max(begin, std::min(across.inputs, end))};
}

std::int64_t staged_floats(const Convolution& conv, const Schedule& schedule) {
  if (conv.pointwise()) return schedule.piece * schedule.stage_stride;
  const Axes axes(conv, schedule);
  const std::int64_t lines = std::min(axes.across.inputs, axes.across.span(schedule.piece));
  return lines * axes.staged_length() * schedule.stage_stride;
}

void stage_pixels(
    const Convolution& conv, const float* x, Range pixels, std::int64_t stride, float* out) {
  const std::int64_t columns = conv.columns.outputs;
  const std::int64_t rows = conv.rows.outputs;
  for (std::int64_t p = pixels.begin; p < pixels.end; ++p, out += stride) {
    const std::int64_t line = p / columns;  // of all pictures
    const std::int64_t row = line / rows * conv.rows.inputs + line % rows * conv.rows.stride;
    const std::int64_t column = p % columns * conv.columns.stride;
    copy_pixel(conv, x + (row * conv.columns.inputs + column) * conv.input_stride, out);
  }
}

void stage_lines(const Convolution& conv,
                 const Axes& axes,
                 const float* picture,
                 Range inputs,
                 std::int64_t stride,
                 float* out) {
  const std::int64_t length = axes.staged_length();
  const std::int64_t before = axes.along.before;
  const std::int64_t inside = std::clamp<std::int64_t>(length - before, 0, axes.along.inputs);
  for (std::int64_t i = inputs.begin; i < inputs.end; ++i, out += length * stride) {
    const float* line = picture + i * axes.across_pixels * conv.input_stride;
    std::fill_n(out, std::min(before, length) * stride, 0.0F);
    for (std::int64_t j = 0; j < inside; ++j) {
      copy_pixel(
          conv, line + j * axes.along_pixels * conv.input_stride, out + (before + j) * stride);
    }
    const std::int64_t behind = std::max<std::int64_t>(0, length - before - inside);
    std::fill_n(out + (length - behind) * stride, behind * stride, 0.0F);
  }
}

}  // namespace fovea::cpu::direct
