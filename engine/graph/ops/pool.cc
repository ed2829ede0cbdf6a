#include "engine/graph/ops/pool.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// The three attributes that both windowed pools have.
struct Window {
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> strides;
  Pads pads;
};

/// One side of the output: 0 = rows, 1 = columns.
std::int64_t positions(const TensorDesc& x, const Window& window, std::size_t side) {
  const std::int64_t size = x.shape[side + 1];
  const std::int64_t before = window.pads[side];
  const std::int64_t after = window.pads[side + 2];
  const std::int64_t kernel = window.kernel[side];
  const std::int64_t stride = window.strides[side];
  const std::int64_t count = window_positions(size, before, after, kernel, stride);
  if (count < 1) {
    throw InvalidArgument(cat("a window of ",
                              kernel,
                              " does not fit dimension ",
                              side + 1,
                              " of x ",
                              to_string(x),
                              " padded by ",
                              before,
                              " and ",
                              after));
  }
  // The first window reaches x, and the last one starts on it.
  if (before >= kernel || (count - 1) * stride - before >= size) {
    throw InvalidArgument(cat("padding dimension ",
                              side + 1,
                              " of x ",
                              to_string(x),
                              " by ",
                              before,
                              " and ",
                              after,
                              " leaves a window of ",
                              kernel,
                              " at stride ",
                              stride,
                              " without any element"));
  }
  return count;
}

std::vector<TensorDesc> infer_window(std::span<const TensorDesc> inputs, const Window& window) {
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  check_picture(x, "x");
  return {
      checked_output({DType::kFloat32,
                      {x.shape[0], positions(x, window, 0), positions(x, window, 1), x.shape[3]}})};
}

/// Starts every channel of every output at `start`, folds in each element of its window, and
/// finishes with the number of elements.
template <typename Fold, typename Finish>
void reduce(ConstTensorView input,
            TensorView output,
            const Window& window,
            double start,
            Fold fold,
            Finish finish) {
  const float* x = input.floats().data();
  float* y = output.floats().data();
  const std::int64_t height = input.dim(1);
  const std::int64_t width = input.dim(2);
  const auto channels = static_cast<std::size_t>(input.dim(3));
  const std::int64_t cols = output.dim(2);
  std::vector<double> values(channels);

  for (std::int64_t row = 0; row < output.dim(0) * output.dim(1); ++row) {
    const std::int64_t first_row = row / output.dim(1) * height;
    const std::int64_t top = row % output.dim(1) * window.strides[0] - window.pads[0];
    const Taps rows_in = taps_inside(height, top, window.kernel[0]);
    for (std::int64_t q = 0; q < cols; ++q) {
      const std::int64_t left = q * window.strides[1] - window.pads[1];
      const Taps cols_in = taps_inside(width, left, window.kernel[1]);
      std::ranges::fill(values, start);
      for (std::int64_t r = rows_in.begin; r < rows_in.end; ++r) {
        for (std::int64_t s = cols_in.begin; s < cols_in.end; ++s) {
          const float* pixel = x + ((first_row + top + r) * width + left + s) * input.dim(3);
          for (std::size_t c = 0; c < channels; ++c) values[c] = fold(values[c], pixel[c]);
        }
      }
      const std::int64_t count = (rows_in.end - rows_in.begin) * (cols_in.end - cols_in.begin);
      float* out = y + (row * cols + q) * input.dim(3);
      for (std::size_t c = 0; c < channels; ++c) out[c] = finish(values[c], count);
    }
  }
}

void reduce_max(ConstTensorView input, TensorView output, const Window& window) {
  reduce(
      input,
      output,
      window,
      -std::numeric_limits<double>::infinity(),
      [](double best, double x) { return x > best || std::isnan(x) ? x : best; },
      [](double best, std::int64_t /*count*/) { return static_cast<float>(best); });
}

/// `divisor` 0 means the number of elements in the window.
void reduce_mean(ConstTensorView input,
                 TensorView output,
                 const Window& window,
                 std::int64_t divisor,
                 const Activation& activation = {}) {
  reduce(
      input,
      output,
      window,
      0.0,
      [](double sum, double x) { return sum + x; },
      [&](double sum, std::int64_t count) {
        const double mean = sum / static_cast<double>(divisor != 0 ? divisor : count);
        return static_cast<float>(apply(activation, mean));
      });
}

}  // namespace

std::vector<TensorDesc> MaxPool::infer(std::span<const TensorDesc> inputs) const {
  return infer_window(inputs, {kernel, strides, pads});
}

void MaxPool::evaluate(std::span<const ConstTensorView> inputs,
                       std::span<const TensorView> outputs) const {
  reduce_max(inputs[0], outputs[0], {kernel, strides, pads});
}

std::vector<TensorDesc> AveragePool::infer(std::span<const TensorDesc> inputs) const {
  check_activation(activation);
  return infer_window(inputs, {kernel, strides, pads});
}

void AveragePool::evaluate(std::span<const ConstTensorView> inputs,
                           std::span<const TensorView> outputs) const {
  const std::int64_t divisor = count_padding ? kernel[0] * kernel[1] : 0;
  reduce_mean(inputs[0], outputs[0], {kernel, strides, pads}, divisor, activation);
}

std::vector<TensorDesc> GlobalPool::infer(std::span<const TensorDesc> inputs) const {
  if (kind != PoolKind::kAverage && kind != PoolKind::kMax) {
    throw InvalidArgument(
        cat("the kind of pooling is number ", static_cast<int>(kind), ", which is unknown"));
  }
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  check_picture(x, "x");
  if (keep_dims) return {{DType::kFloat32, {x.shape[0], 1, 1, x.shape[3]}}};
  return {{DType::kFloat32, {x.shape[0], x.shape[3]}}};
}

void GlobalPool::evaluate(std::span<const ConstTensorView> inputs,
                          std::span<const TensorView> outputs) const {
  const ConstTensorView& x = inputs[0];
  const TensorDesc picture{DType::kFloat32, {x.dim(0), 1, 1, x.dim(3)}};
  const TensorView y{&picture, outputs[0].data};
  const Window whole{{x.dim(1), x.dim(2)}, {1, 1}, {0, 0, 0, 0}};
  if (kind == PoolKind::kMax) {
    reduce_max(x, y, whole);
  } else {
    reduce_mean(x, y, whole, 0);
  }
}

}  // namespace fovea
