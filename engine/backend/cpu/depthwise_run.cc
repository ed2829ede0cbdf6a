#include "engine/backend/cpu/depthwise_run.h"

#include <algorithm>
#include <limits>

#include "engine/backend/cpu/depthwise_pixels.h"
#include "engine/backend/cpu/lanes.h"
#include "engine/backend/cpu/range.h"
#include "engine/backend/cpu/simd.h"

namespace fovea::cpu {

namespace {

FOVEA_CLONES void add_products(
    const float* x, const float* w, float* y, std::int64_t channels, float floor) {
  for (std::int64_t c = 0; c < channels; ++c) y[c] += (x[c] < floor ? floor : x[c]) * w[c];
}

FOVEA_CLONES void finish(const Epilogue& epilogue, float* y, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const float sum = y[c] + epilogue.bias[c];
    const float raised = sum < epilogue.low[c] ? epilogue.low[c] : sum;
    y[c] = raised > epilogue.high[c] ? epilogue.high[c] : raised;
  }
}

/// Outputs whose window lies inside of the picture.
Range inside(const Axis& axis) {
  const std::int64_t begin = std::min(axis.outputs, ceil_div(axis.before, axis.stride));
  const std::int64_t room = axis.inputs + axis.before - axis.span(1);
  const std::int64_t end = room < 0 ? 0 : std::min(axis.outputs, room / axis.stride + 1);
  return {begin, std::max(begin, end)};
}

/// One row of outputs; `line` counts those of all pictures.
class Line {
 public:
  Line(const Depthwise& conv,
       const float* x,
       const float* w,
       const Epilogue& epilogue,
       float* y,
       std::int64_t line)
      : conv_(conv), w_(w), kernel_(avx512_depthwise()) {
    if (kernel_ == nullptr) kernel_ = depthwise_pixels;
    const std::int64_t row = line % conv.rows.outputs;
    const std::int64_t picture = line / conv.rows.outputs;
    const Taps taps = conv.rows.inside(row);
    const std::int64_t first_row =
        picture * conv.rows.inputs + conv.rows.first_input(row) + taps.begin * conv.rows.dilation;
    x_ = x + first_row * conv.columns.inputs * conv.input_stride;
    y_ = y + line * conv.columns.outputs * conv.output_stride;
    w_ += taps.begin * conv.columns.kernel * conv.padded_channels();
    call_ = {.step = conv.columns.stride * conv.input_stride,
             .rows = std::max<std::int64_t>(0, taps.end - taps.begin),
             .row_stride = conv.rows.dilation * conv.columns.inputs * conv.input_stride,
             .column_stride = conv.columns.dilation * conv.input_stride,
             .w_row = conv.columns.kernel * conv.padded_channels(),
             .w_column = conv.padded_channels(),
             .y_step = conv.output_stride,
             .channels = conv.channels,
             .epilogue = epilogue};
  }

  /// Some outputs with the same columns of taps inside of the picture: one, or several whose whole
  /// window is.
  void compute(std::int64_t column, std::int64_t pixels) {
    const Taps taps = conv_.columns.inside(column);
    call_.columns = std::max<std::int64_t>(0, taps.end - taps.begin);
    call_.x = x_ + (conv_.columns.first_input(column) + taps.begin * conv_.columns.dilation) *
                       conv_.input_stride;
    call_.w = w_ + taps.begin * call_.w_column;
    call_.y = y_ + column * conv_.output_stride;
    kernel_(call_, pixels, conv_.input_relu);
  }

 private:
  const Depthwise& conv_;
  const float* w_;
  DepthwiseKernel* kernel_;
  const float* x_ = nullptr;
  float* y_ = nullptr;
  DepthwisePixels call_;
};

}  // namespace

std::int64_t Depthwise::padded_channels() const {
  return ceil_div(channels, kLanes) * kLanes;
}

void pack_weights(const Depthwise& conv, const StoredWeights& stored, std::span<float> packed) {
  float* out = packed.data();
  for (std::int64_t row = 0; row < conv.rows.kernel; ++row) {
    for (std::int64_t column = 0; column < conv.columns.kernel; ++column) {
      const float* from = stored.data + row * stored.row + column * stored.column;
      for (std::int64_t c = 0; c < conv.channels; ++c) out[c] = from[c * stored.filter];
      out += conv.padded_channels();
    }
  }
}

void depthwise_pixels(const DepthwisePixels& call, std::int64_t pixels, bool relu) {
  const float floor = relu ? 0.0F : -std::numeric_limits<float>::infinity();
  for (std::int64_t t = 0; t < pixels; ++t) {
    float* y = call.y + t * call.y_step;
    std::fill_n(y, call.channels, 0.0F);
    for (std::int64_t r = 0; r < call.rows; ++r) {
      const float* x = call.x + t * call.step + r * call.row_stride;
      for (std::int64_t s = 0; s < call.columns; ++s) {
        const float* w = call.w + r * call.w_row + s * call.w_column;
        add_products(x + s * call.column_stride, w, y, call.channels, floor);
      }
    }
    finish(call.epilogue, y, call.channels);
  }
}

void run(const Depthwise& conv,
         const float* x,
         const float* w,
         const Epilogue& epilogue,
         float* y,
         int threads) {
  const Range columns = inside(conv.columns);
  const std::int64_t lines = conv.batch * conv.rows.outputs;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
  for (std::int64_t i = 0; i < lines; ++i) {
    Line line(conv, x, w, epilogue, y, i);
    std::int64_t column = 0;
    for (; column < columns.begin; ++column) line.compute(column, 1);
    for (; column + kDepthwisePixels <= columns.end; column += kDepthwisePixels) {
      line.compute(column, kDepthwisePixels);
    }
    for (; column < conv.columns.outputs; ++column) line.compute(column, 1);
  }
}

}  // namespace fovea::cpu
