// Convolutions for tests of kernels: random operands of any type, and a double loop over them.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <gtest/gtest.h>

#include "engine/graph/ops/activation.h"
#include "kernels/convolution.h"
#include "tests/kernels/device_test.h"
#include "tests/kernels/exact_sum.h"

namespace fovea::test {

/// Sizes of a convolution, and how far its tensors are slices. Everything else is in `args`.
struct ConvolutionCase {
  std::string name;
  kernels::ConvolutionArgs args;  ///< addresses, strides and out_h, out_w are filled in
  int pad_bottom = 0;
  int pad_right = 0;
  bool bias = true;
  bool residual = false;
  std::size_t extra = 0;   ///< channels of every slice's pixels beyond its own
  std::size_t offset = 0;  ///< of every slice in its pixels
  bool in_place = false;   ///< y is the residual

  friend std::ostream& operator<<(std::ostream& out, const ConvolutionCase& c) {
    return out << c.name;
  }
};

/// The ElementType of T, and the unit of its rounding: half of the last place of 1.
template <typename T>
constexpr kernels::ElementType kElementType = kernels::ElementType::kFloat32;
template <>
inline constexpr kernels::ElementType kElementType<__half> = kernels::ElementType::kFloat16;
template <>
inline constexpr kernels::ElementType kElementType<__nv_bfloat16> = kernels::ElementType::kBFloat16;

template <typename T>
constexpr double kUnit = 0x1p-24;
template <>
inline constexpr double kUnit<__half> = 0x1p-11;
template <>
inline constexpr double kUnit<__nv_bfloat16> = 0x1p-8;

/// NaN stays one in every type.
template <typename T>
std::vector<T> to_elements(const std::vector<float>& values) {
  std::vector<T> elements;
  elements.reserve(values.size());
  for (const float value : values) elements.push_back(static_cast<T>(value));
  return elements;
}

template <typename T>
std::vector<float> to_numbers(const std::vector<T>& elements) {
  std::vector<float> values;
  values.reserve(elements.size());
  for (const T& element : elements) values.push_back(static_cast<float>(element));
  return values;
}

/// The operands of a case as T holds them, dense; as tf32 has them where that is asked for.
struct ConvolutionOperands {
  std::vector<float> x;
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<float> residual;
};

/// An output, and what its error is bounded by.
struct ConvolutionOutput {
  double value;
  double bound;
};

/// The sizes of y.
inline kernels::ConvolutionArgs with_output(const ConvolutionCase& c) {
  kernels::ConvolutionArgs a = c.args;
  a.out_h = (a.h + a.pad_top + c.pad_bottom - (a.kernel_h - 1) * a.dilation_h - 1) / a.stride_h + 1;
  a.out_w = (a.w + a.pad_left + c.pad_right - (a.kernel_w - 1) * a.dilation_w - 1) / a.stride_w + 1;
  return a;
}

inline std::size_t pixels_of(const kernels::ConvolutionArgs& a) {
  return static_cast<std::size_t>(a.n) * static_cast<std::size_t>(a.out_h) *
         static_cast<std::size_t>(a.out_w);
}

template <typename T>
ConvolutionOperands operands_of(const ConvolutionCase& c) {
  const kernels::ConvolutionArgs a = with_output(c);
  const auto size = [](auto... dims) { return (static_cast<std::size_t>(dims) * ...); };
  const auto numbers = [](std::size_t count, unsigned seed) {
    return to_numbers(to_elements<T>(random_floats(count, seed)));
  };
  return {numbers(size(a.n, a.h, a.w, a.c), 1),
          numbers(size(a.filters, a.kernel_h, a.kernel_w, a.c / a.groups), 2),
          c.bias ? random_floats(size(a.filters), 3) : std::vector<float>{},
          c.residual ? numbers(pixels_of(a) * size(a.filters), 4) : std::vector<float>{}};
}

/// The values with `bits` bits of fraction, after a Relu where that is asked for.
inline std::vector<float> multiplied(std::vector<float> values, int bits, bool relu) {
  for (float& value : values) {
    value = with_fraction_bits(relu && value <= 0.0F ? 0.0F : value, bits);
  }
  return values;
}

/// The products of output (picture, p, q, o), whose places are those of a dense y.
inline ExactSum products_of(const kernels::ConvolutionArgs& a,
                            const std::vector<float>& x,
                            const std::vector<float>& weights,
                            int output) {
  const int o = output % a.filters;
  const int pixel = output / a.filters;
  const int top = pixel / a.out_w % a.out_h * a.stride_h - a.pad_top;
  const int left = pixel % a.out_w * a.stride_w - a.pad_left;
  const int picture = pixel / a.out_w / a.out_h;
  const int channels = a.c / a.groups;
  const int first = o / (a.filters / a.groups) * channels;
  ExactSum sum;
  for (int tap = 0; tap < a.kernel_h * a.kernel_w; ++tap) {
    const int row = top + tap / a.kernel_w * a.dilation_h;
    const int col = left + tap % a.kernel_w * a.dilation_w;
    if (row < 0 || row >= a.h || col < 0 || col >= a.w) continue;
    for (int i = 0; i < channels; ++i) {
      const int x_at = ((picture * a.h + row) * a.w + col) * a.c + first + i;
      const int w_at = (o * a.kernel_h * a.kernel_w + tap) * channels + i;
      sum.add(double{x[static_cast<std::size_t>(x_at)]} *
              double{weights[static_cast<std::size_t>(w_at)]});
    }
  }
  return sum;
}

/// All outputs in double precision. `product_bits` are the bits of fraction of what is multiplied,
/// 23 for all; `sum_unit` bounds the relative error of one addition of the kernel.
inline std::vector<ConvolutionOutput> convolved(const ConvolutionCase& c,
                                                const ConvolutionOperands& on,
                                                int product_bits,
                                                double sum_unit,
                                                double result_unit) {
  const kernels::ConvolutionArgs a = with_output(c);
  const std::vector<float> x = multiplied(on.x, product_bits, a.input_relu);
  const std::vector<float> weights = multiplied(on.weights, product_bits, false);
  const fovea::Activation activation{
      static_cast<fovea::ActivationKind>(a.activation.kind), a.activation.lo, a.activation.hi};
  std::vector<ConvolutionOutput> outputs(pixels_of(a) * static_cast<std::size_t>(a.filters));
  for (std::size_t at = 0; at < outputs.size(); ++at) {
    const int o = static_cast<int>(at) % a.filters;
    ExactSum sum = products_of(a, x, weights, static_cast<int>(at));
    if (c.residual) sum.add(double{on.residual[at]});
    if (c.bias) sum.add(double{on.bias[static_cast<std::size_t>(o)]});
    const bool activated = a.activation_channels == 0 || o < a.activation_channels;
    const double y = activated ? apply(activation, sum.value) : sum.value;
    // Every addition rounds what has been summed; no activation here is steeper than the identity,
    // and none is farther from its value than 8 units of float32.
    const int additions = a.kernel_h * a.kernel_w * (a.c / a.groups) + 2;
    const double error = additions * sum_unit * sum.magnitude + 8 * 0x1p-24 * std::abs(y);
    // The smallest positive half has an error of its own.
    outputs[at] = {y, error + result_unit * (std::abs(y) + error) + 0x1p-25};
  }
  return outputs;
}

/// Weights in rows of packed_depth().
template <typename T>
std::vector<T> packed_rows(const std::vector<float>& weights, const kernels::ConvolutionArgs& a) {
  const auto depth = weights.size() / static_cast<std::size_t>(a.filters);
  const auto packed = static_cast<std::size_t>(
      kernels::packed_depth(static_cast<std::int64_t>(depth), kElementType<T>));
  std::vector<float> rows(static_cast<std::size_t>(a.filters) * packed, 0.0F);
  for (std::size_t i = 0; i < weights.size(); ++i)
    rows[i / depth * packed + i % depth] = weights[i];
  return to_elements<T>(rows);
}

/// The case computed by a kernel on `stream`; fails the test where a slice's surroundings change.
template <typename T>
std::vector<float> run_convolution(const ConvolutionCase& c,
                                   const ConvolutionOperands& on,
                                   kernels::ConvolutionTile tile,
                                   cudaStream_t stream) {
  kernels::ConvolutionArgs a = with_output(c);
  a.type = kElementType<T>;
  const auto channels = static_cast<std::size_t>(a.c);
  const auto filters = static_cast<std::size_t>(a.filters);
  const auto slice = [&](const std::vector<float>& values, std::size_t row, std::size_t stride) {
    return DeviceArray<T>(to_elements<T>(spread(values, row, stride, c.offset)));
  };
  const std::size_t x_stride = channels + c.extra;
  const std::size_t y_stride = filters + c.extra;
  // Another stride than y's, where the two are not one tensor.
  const std::size_t residual_stride = y_stride + (c.in_place ? 0 : c.extra);
  const DeviceArray<T> x = slice(on.x, channels, x_stride);
  const DeviceArray<T> weights(packed_rows<T>(on.weights, a));
  const DeviceArray<float> bias(on.bias);
  const DeviceArray<T> residual = slice(on.residual, filters, residual_stride);
  const std::vector<float> nothing(pixels_of(a) * filters, std::numeric_limits<float>::quiet_NaN());
  const DeviceArray<T> own = slice(nothing, filters, y_stride);
  const DeviceArray<T>& y = c.in_place ? residual : own;
  a.x = x.data() + c.offset;
  a.weights = weights.data();
  a.bias = c.bias ? bias.data() : nullptr;
  a.residual = c.residual ? residual.data() + c.offset : nullptr;
  a.y = y.data() + c.offset;
  a.x_stride = static_cast<std::int64_t>(x_stride);
  a.residual_stride = static_cast<std::int64_t>(residual_stride);
  a.y_stride = static_cast<std::int64_t>(y_stride);

  EXPECT_EQ(kernels::convolution(a, tile, stream), cudaSuccess);

  return gathered(to_numbers(y.download(stream)), filters, y_stride, c.offset);
}

/// Holds one tile to the double loop.
template <typename T>
void expect_convolution(const ConvolutionCase& c,
                        kernels::ConvolutionTile tile,
                        cudaStream_t stream) {
  SCOPED_TRACE(testing::Message() << c << " by " << kernels::name_of(tile) << ", " << sizeof(T) * 8
                                  << " bits, unit " << kUnit<T>);
  const bool mma = kernels::uses_tensor_cores(tile);
  const bool tf32 = mma && sizeof(T) == 4;
  const ConvolutionOperands on = operands_of<T>(c);
  // Tensor cores cut sums off where others round them.
  const std::vector<ConvolutionOutput> expected =
      convolved(c, on, tf32 ? 10 : 23, mma ? 0x1p-23 : 0x1p-24, kUnit<T>);

  const std::vector<float> got = run_convolution<T>(c, on, tile, stream);

  ASSERT_EQ(got.size(), expected.size());
  const auto filters = static_cast<std::size_t>(c.args.filters);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(double{got[i]} - expected[i].value);
    ASSERT_TRUE(error <= expected[i].bound)
        << "pixel " << i / filters << ", filter " << i % filters << ": " << got[i] << " for "
        << expected[i].value << ", bound " << expected[i].bound;
  }
}

}  // namespace fovea::test
