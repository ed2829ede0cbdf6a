#include "engine/graph/ops/conv2d.h"

#include <cmath>
#include <limits>

#include "engine/graph/ops/activations.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run;
using test::run_floats;
using test::Tensor;
using test::unknown;
using test::whole_numbers;

/// The element x[n,h,w,c], or 0 beside the picture.
double at(const Tensor& x, const std::vector<float>& values, const std::array<std::int64_t, 4>& i) {
  const Shape& shape = x.desc.shape;
  if (i[1] < 0 || i[1] >= shape[1] || i[2] < 0 || i[2] >= shape[2]) return 0.0;
  const std::int64_t offset = ((i[0] * shape[1] + i[1]) * shape[2] + i[2]) * shape[3] + i[3];
  return values[static_cast<std::size_t>(offset)];
}

/// The sum of the definition, without bias, residual and activation.
std::vector<double> convolve(const Conv2d& conv,
                             const Tensor& x,
                             const Tensor& w,
                             const Shape& out) {
  const std::vector<float> pixels = x.floats();
  const std::vector<float> weights = w.floats();
  const std::int64_t group_in = w.desc.shape[3];
  const std::int64_t group_out = w.desc.shape[0] / conv.groups;
  std::vector<double> y;
  for (std::int64_t i = 0; i < num_elements(out); ++i) {
    const std::int64_t o = i % out[3];
    const std::int64_t q = i / out[3] % out[2];
    const std::int64_t p = i / out[3] / out[2] % out[1];
    const std::int64_t n = i / out[3] / out[2] / out[1];
    double sum = 0.0;
    for (std::int64_t r = 0; r < w.desc.shape[1]; ++r) {
      for (std::int64_t s = 0; s < w.desc.shape[2]; ++s) {
        for (std::int64_t c = 0; c < group_in; ++c) {
          const std::int64_t row = p * conv.strides[0] + r * conv.dilations[0] - conv.pads[0];
          const std::int64_t col = q * conv.strides[1] + s * conv.dilations[1] - conv.pads[1];
          sum += at(x, pixels, {n, row, col, o / group_out * group_in + c}) *
                 at(w, weights, {o, r, s, c});
        }
      }
    }
    y.push_back(sum);
  }
  return y;
}

struct Case {
  Shape x;
  Shape w;
  Conv2d conv;
};

std::vector<Case> cases() {
  return {
      {{1, 1, 1, 1}, {1, 1, 1, 1}, {}},
      {{1, 5, 5, 3}, {8, 3, 3, 3}, {}},
      {{2, 6, 7, 5}, {9, 3, 2, 5}, {.strides = {2, 1}, .pads = {1, 0, 0, 1}}},
      {{1, 7, 5, 4}, {6, 3, 3, 2}, {.pads = {1, 1, 1, 1}, .groups = 2}},
      {{3, 9, 8, 3}, {7, 3, 3, 3}, {.dilations = {2, 3}, .pads = {2, 3, 2, 3}}},
      {{1, 8, 8, 17}, {17, 3, 3, 1}, {.strides = {2, 2}, .pads = {0, 0, 1, 1}, .groups = 17}},
      {{1, 5, 6, 3}, {6, 3, 3, 1}, {.pads = {1, 1, 1, 1}, .groups = 3}},
      {{2, 4, 4, 20}, {30, 1, 1, 10}, {.strides = {3, 3}, .groups = 2}},
      {{1, 2, 3, 2}, {3, 5, 5, 2}, {.pads = {4, 4, 4, 4}}},
      {{1, 1, 2, 2}, {2, 1, 7, 2}, {.strides = {1, 2}, .pads = {5, 9, 6, 8}}},
      {{1, 23, 23, 3}, {33, 7, 7, 3}, {.strides = {2, 2}, .pads = {3, 3, 3, 3}}},
  };
}

TEST(Conv2d, EqualsItsDefinition) {
  for (const Case& row : cases()) {
    const Tensor x = whole_numbers(row.x, 1);
    const Tensor w = whole_numbers(row.w, 2);
    const TensorDesc out = infer(row.conv, {x.desc, w.desc}).at(0);

    const std::vector<float> y = run_floats(row.conv, {x, w});

    const std::vector<double> expected = convolve(row.conv, x, w, out.shape);
    ASSERT_EQ(y.size(), expected.size()) << to_string(out);
    // Whole numbers: both sums are exact.
    for (std::size_t i = 0; i < y.size(); ++i) {
      ASSERT_EQ(y[i], expected[i]) << to_string(x.desc) << ' ' << to_string(w.desc) << " at " << i;
    }
  }
}

TEST(Conv2d, AddsResidualAndBiasBeforeTheActivation) {
  Conv2d conv{.pads = {1, 1, 1, 1}, .bias = true, .residual = true};
  const Tensor x = whole_numbers({2, 5, 4, 3}, 3);
  const Tensor w = whole_numbers({11, 3, 3, 3}, 4);
  const Tensor bias = whole_numbers({11}, 5);
  const Tensor residual = whole_numbers({2, 5, 4, 11}, 6);
  const std::vector<double> sums = convolve(conv, x, w, residual.desc.shape);

  for (const ActivationKind kind : {ActivationKind::kNone,
                                    ActivationKind::kRelu,
                                    ActivationKind::kClip,
                                    ActivationKind::kTanh}) {
    conv.activation = {.kind = kind, .lo = -3.0F, .hi = 5.0F};
    const std::vector<float> y = run_floats(conv, {x, w, bias, residual});
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double sum = sums[i] + bias.floats()[i % 11] + residual.floats()[i];
      double expected = sum;
      if (kind == ActivationKind::kRelu) expected = std::max(sum, 0.0);
      if (kind == ActivationKind::kClip) expected = std::clamp(sum, -3.0, 5.0);
      if (kind == ActivationKind::kTanh) expected = std::tanh(sum);
      ASSERT_EQ(y[i], static_cast<float>(expected)) << i;
    }
  }
}

TEST(Conv2d, AppliesItsActivationToItsFirstChannels) {
  const Tensor x = whole_numbers({2, 5, 4, 3}, 3);
  const Tensor w = whole_numbers({11, 3, 3, 3}, 4);
  Conv2d conv;
  const std::vector<float> sums = run_floats(conv, {x, w});
  conv.activation = {.kind = ActivationKind::kRelu};
  for (const std::int64_t channels : {1, 8, 10, 11}) {
    conv.activation_channels = channels;

    const std::vector<float> y = run_floats(conv, {x, w});

    for (std::size_t i = 0; i < y.size(); ++i) {
      const bool is_active = static_cast<std::int64_t>(i % 11) < channels;
      ASSERT_EQ(y[i], is_active ? std::max(sums[i], 0.0F) : sums[i]) << i << " of " << channels;
    }
  }
}

TEST(Conv2d, AppliesAReluToWhatItReads) {
  for (const Case& row : cases()) {
    Tensor x = whole_numbers(row.x, 1);
    const Tensor w = whole_numbers(row.w, 2);
    Conv2d conv = row.conv;
    conv.input_activation = ActivationKind::kRelu;

    const std::vector<float> y = run_floats(conv, {x, w});

    EXPECT_EQ(y, run_floats(row.conv, {run(Relu{}, {x})[0], w})) << to_string(x.desc);
  }
}

TEST(Conv2d, TakesAResidualWithoutABias) {
  const Conv2d conv{.residual = true};

  const std::vector<float> y = run_floats(conv,
                                          {floats({1, 1, 1, 2}, {3, 5}),
                                           floats({1, 1, 1, 2}, {10, 100}),
                                           floats({1, 1, 1, 1}, {0.5F})});

  EXPECT_EQ(y, (std::vector<float>{530.5F}));
}

TEST(Conv2d, SumsInDouble) {
  // In float32, 2^24 + 1 is 2^24, and the difference would be 0.
  const Tensor x = floats({1, 1, 1, 3}, {16777216.0F, 1.0F, -16777216.0F});
  const Tensor w = floats({1, 1, 1, 3}, {1.0F, 1.0F, 1.0F});

  EXPECT_EQ(run_floats(Conv2d{}, {x, w}), (std::vector<float>{1.0F}));
}

TEST(Conv2d, KeepsNanInItsOwnPictureAndWindow) {
  std::vector<float> pixels(18, 1.0F);
  pixels[8] = std::numeric_limits<float>::quiet_NaN();  // the last pixel of picture 0
  const Tensor x = floats({2, 3, 3, 1}, pixels);

  const std::vector<float> y = run_floats(Conv2d{}, {x, floats({1, 2, 2, 1}, {1, 1, 1, 1})});

  ASSERT_EQ(y.size(), 8U);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i == 3) << i;
}

TEST(Conv2d, PassesTheSymbolicBatchThrough) {
  const Conv2d conv{.strides = {2, 2}, .pads = {3, 3, 3, 3}, .bias = true, .residual = true};
  EXPECT_EQ(
      infer(
          conv,
          {f32({kBatch, 224, 224, 3}), f32({64, 7, 7, 3}), f32({64}), f32({kBatch, 112, 112, 64})}),
      std::vector<TensorDesc>{f32({kBatch, 112, 112, 64})});
}

TEST(Conv2d, RefusesInputsThatDoNotMatch) {
  const TensorDesc x = f32({kBatch, 8, 8, 6});
  const TensorDesc w = f32({4, 3, 3, 6});
  expect_refused(Conv2d{}, {x}, {"1 inputs", "takes 2"});
  expect_refused(Conv2d{.bias = true}, {x, w}, {"2 inputs", "takes 3"});
  expect_refused(Conv2d{}, {{DType::kFloat16, x.shape}, w}, {"f16[N,8,8,6]", "f32"});
  expect_refused(Conv2d{}, {f32({kBatch, 8, 6}), w}, {"f32[N,8,6]", "4 dimensions"});
  expect_refused(Conv2d{}, {x, {DType::kInt8, w.shape}}, {"i8[4,3,3,6]", "f32"});
  expect_refused(Conv2d{}, {x, f32({4, 3, 6})}, {"f32[4,3,6]", "4 dimensions"});
  expect_refused(Conv2d{}, {x, f32({kBatch, 3, 3, 6})}, {"the weight", "batch"});
  expect_refused(Conv2d{}, {x, f32({4, 3, 3, 5})}, {"f32[4,3,3,5]", "f32[N,8,8,6]", "must be 6"});
  expect_refused(Conv2d{}, {x, f32({4, 9, 3, 6})}, {"f32[4,9,3,6]", "f32[N,8,8,6]", "fit"});
  expect_refused(Conv2d{}, {x, f32({4, 3, 9, 6})}, {"f32[4,3,9,6]", "f32[N,8,8,6]", "fit"});
  expect_refused(Conv2d{.bias = true}, {x, w, f32({5})}, {"bias", "f32[5]", "f32[4]"});
  expect_refused(Conv2d{.bias = true}, {x, w, f32({1, 4})}, {"bias", "f32[1,4]", "f32[4]"});
  expect_refused(Conv2d{.residual = true},
                 {x, w, f32({kBatch, 6, 5, 4})},
                 {"residual", "f32[N,6,5,4]", "f32[N,6,6,4]"});
  expect_refused(Conv2d{.residual = true},
                 {x, w, f32({1, 6, 6, 4})},
                 {"residual", "f32[1,6,6,4]", "f32[N,6,6,4]"});
}

TEST(Conv2d, RefusesAttributesThatMeanNothing) {
  const std::vector<TensorDesc> inputs{f32({kBatch, 8, 8, 6}), f32({4, 3, 3, 6})};
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  expect_refused(Conv2d{.strides = {0, 1}}, inputs, {"stride", "0"});
  expect_refused(Conv2d{.strides = {1, -2}}, inputs, {"stride", "-2"});
  expect_refused(Conv2d{.dilations = {0, 1}}, inputs, {"dilation", "0"});
  expect_refused(Conv2d{.dilations = {1, kHuge}}, inputs, {"dilation"});
  for (std::size_t side = 0; side < 4; ++side) {
    Conv2d conv;
    conv.pads[side] = -1;
    expect_refused(conv, inputs, {"padding", "-1"});
    conv.pads[side] = kHuge;
    expect_refused(conv, inputs, {"padding"});
  }
  expect_refused(Conv2d{.groups = 0}, inputs, {"groups is 0"});
  expect_refused(Conv2d{.groups = -1}, inputs, {"groups is -1"});
  expect_refused(Conv2d{.groups = 4}, inputs, {"groups is 4", "6", "4"});
  expect_refused(Conv2d{.groups = 3}, inputs, {"groups is 3", "6", "4"});
  expect_refused(
      Conv2d{.activation = {.kind = unknown<ActivationKind>(9)}}, inputs, {"activation", "9"});
  expect_refused(Conv2d{.activation = {.kind = ActivationKind::kClip, .lo = 2, .hi = 1}},
                 inputs,
                 {"2.0", "1.0"});
  expect_refused(Conv2d{.activation_channels = -1}, inputs, {"-1 channels", "0 (all)"});
  expect_refused(Conv2d{.activation_channels = 1000}, inputs, {"1000 channels"});
  expect_refused(Conv2d{.activation_channels = 1}, inputs, {"there is none"});
  expect_refused(Conv2d{.input_activation = ActivationKind::kClip}, inputs, {"input_activation"});
}

TEST(Conv2d, RefusesAnOutputThatNoMemoryHolds) {
  const Conv2d conv{.pads = {0, 0, 2'000'000'000, 2'000'000'000}};
  expect_refused(conv, {f32({kBatch, 8, 8, 6}), f32({4, 3, 3, 6})}, {"output", "memory"});
}

}  // namespace
}  // namespace fovea
