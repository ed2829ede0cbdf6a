#include "kernels/depthwise.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "engine/graph/ops/conv2d.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

/// A picture, a window as {kernel, strides, dilations}, pads {top, left, bottom, right}, and
/// outputs per channel.
struct Case {
  std::int64_t n;
  std::int64_t h;
  std::int64_t w;
  std::int64_t c;
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  Pads pads{0, 0, 0, 0};
  std::int64_t multiplier = 1;
};

/// Every kernel; rows that end within a run of outputs, blocks that end within the work, windows
/// that lie in the border but for one element.
const std::vector<Case> kCases{
    {.n = 1, .h = 1, .w = 1, .c = 1, .kernel = {1, 1}},
    {.n = 2, .h = 5, .w = 6, .c = 31, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 2, .h = 5, .w = 7, .c = 32, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 1, .h = 3, .w = 3, .c = 8, .kernel = {3, 3}, .pads = {2, 2, 2, 2}},
    {.n = 1, .h = 4, .w = 9, .c = 40, .kernel = {3, 3}, .pads = {0, 2, 1, 0}},
    {.n = 1, .h = 8, .w = 9, .c = 16, .kernel = {3, 3}, .strides = {2, 2}, .pads = {0, 0, 1, 1}},
    {.n = 3, .h = 7, .w = 6, .c = 24, .kernel = {3, 3}, .strides = {1, 2}, .pads = {1, 1, 0, 1}},
    {.n = 1, .h = 9, .w = 5, .c = 8, .kernel = {3, 3}, .strides = {2, 1}, .dilations = {2, 1}},
    {.n = 1, .h = 7, .w = 10, .c = 16, .kernel = {5, 5}, .pads = {2, 2, 2, 2}},
    {.n = 1, .h = 8, .w = 7, .c = 16, .kernel = {5, 5}, .strides = {2, 2}, .pads = {1, 2, 2, 1}},
    {.n = 1, .h = 7, .w = 9, .c = 8, .kernel = {7, 7}, .pads = {3, 3, 3, 3}},
    {.n = 1, .h = 9, .w = 8, .c = 8, .kernel = {7, 7}, .strides = {2, 2}, .pads = {3, 3, 2, 2}},
    {.n = 2, .h = 6, .w = 7, .c = 16, .kernel = {2, 4}, .strides = {1, 3}, .pads = {1, 0, 0, 2}},
    {.n = 1, .h = 8, .w = 9, .c = 16, .kernel = {3, 3}, .dilations = {2, 3}, .pads = {2, 3, 1, 2}},
    {.n = 1, .h = 5, .w = 4, .c = 8, .kernel = {3, 3}, .pads = {1, 1, 1, 1}, .multiplier = 3},
    {.n = 1, .h = 14, .w = 14, .c = 72, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 1, .h = 2, .w = 22, .c = 136, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 1, .h = 1, .w = 45, .c = 128, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 1, .h = 2, .w = 165, .c = 8, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 1, .h = 3, .w = 5, .c = 728, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
    {.n = 1, .h = 4, .w = 3, .c = 24, .kernel = {3, 3}, .pads = {0, 0, 6, 5}}};

/// What is fused.
struct Fusion {
  bool bias = false;
  bool residual = false;
  bool input_relu = false;
  ActivationKind activation = ActivationKind::kNone;
  bool of_some_channels = false;
};

const std::vector<Fusion> kFusions{
    {},
    {.bias = true, .residual = true, .input_relu = true, .activation = ActivationKind::kRelu},
    {.bias = true, .activation = ActivationKind::kClip, .of_some_channels = true},
    {.residual = true, .activation = ActivationKind::kTanh}};

/// How far the pixels of a tensor lie apart beyond their channels, and where the first one begins.
struct Place {
  std::size_t extra = 0;
  std::size_t offset = 0;
};

struct Places {
  Place x{};
  Place y{};
  Place residual{};
  std::size_t weights_offset = 0;
};

/// Dense, slices that keep 16-byte vectors of every type, and one reason at a time that forbids
/// them for some type or for all.
const std::vector<Places> kPlaces{{},
                                  {.x = {8, 8}, .y = {24, 16}, .residual = {16, 8}},
                                  {.x = {3, 0}},
                                  {.x = {8, 1}},
                                  {.y = {2, 0}},
                                  {.y = {8, 4}},
                                  {.residual = {5, 0}},
                                  {.residual = {8, 2}},
                                  {.weights_offset = 1}};

class DepthwiseTest : public test::DeviceTest {
 protected:
  static Conv2d reference(const Case& c, const Fusion& fusion) {
    Conv2d op{.strides = c.strides, .dilations = c.dilations, .pads = c.pads, .groups = c.c};
    op.bias = fusion.bias;
    op.residual = fusion.residual;
    op.activation = {static_cast<fovea::ActivationKind>(fusion.activation), -0.5F, 1.5F};
    if (fusion.of_some_channels) op.activation_channels = (c.c * c.multiplier + 1) / 2;
    if (fusion.input_relu) op.input_activation = fovea::ActivationKind::kRelu;
    return op;
  }

  /// Everything but addresses and strides.
  static DepthwiseArgs described(const Case& c, const Conv2d& op, const Shape& y) {
    const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };
    return {.n = size(c.n),
            .h = size(c.h),
            .w = size(c.w),
            .c = size(c.c),
            .multiplier = size(c.multiplier),
            .out_h = size(y[1]),
            .out_w = size(y[2]),
            .kernel_h = size(c.kernel[0]),
            .kernel_w = size(c.kernel[1]),
            .stride_h = size(c.strides[0]),
            .stride_w = size(c.strides[1]),
            .dilation_h = size(c.dilations[0]),
            .dilation_w = size(c.dilations[1]),
            .pad_top = size(c.pads[0]),
            .pad_left = size(c.pads[1]),
            .input_relu = op.input_activation == fovea::ActivationKind::kRelu,
            .activation = {static_cast<ActivationKind>(op.activation.kind),
                           op.activation.lo,
                           op.activation.hi},
            .activation_channels = size(op.activation_channels)};
  }

  /// [O][R][S] as [R][S][O].
  static std::vector<float> packed(const std::vector<float>& weights, const Case& c) {
    const auto outputs = static_cast<std::size_t>(c.c * c.multiplier);
    const std::size_t taps = weights.size() / outputs;
    std::vector<float> result(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      result[i % taps * outputs + i / taps] = weights[i];
    }
    return result;
  }

  void compare(const Case& c, const Fusion& fusion, ElementType type) {
    const Conv2d op = reference(c, fusion);
    const std::int64_t outputs = c.c * c.multiplier;
    const TensorDesc x_desc{DType::kFloat32, {c.n, c.h, c.w, c.c}};
    const TensorDesc w_desc{DType::kFloat32, {outputs, c.kernel[0], c.kernel[1], 1}};
    Conv2d plain = op;
    plain.bias = plain.residual = false;
    const TensorDesc y_desc = plain.infer(std::vector{x_desc, w_desc})[0];
    const auto random = [type](const Shape& shape, unsigned seed) {
      const auto count = static_cast<std::size_t>(num_elements(shape));
      return test::rounded(test::random_floats(count, seed), type);
    };
    const std::vector<float> x = random(x_desc.shape, 1);
    const std::vector<float> weights = random(w_desc.shape, 2);
    const std::vector<float> bias = test::random_floats(static_cast<std::size_t>(outputs), 3);
    const std::vector<float> residual = random(y_desc.shape, 4);
    std::vector<test::HostTensor> inputs{{x_desc, x}, {w_desc, weights}};
    if (fusion.bias) inputs.push_back({{DType::kFloat32, {outputs}}, bias});
    if (fusion.residual) inputs.push_back({y_desc, residual});
    const std::vector<float> expected = test::evaluated(op, inputs);

    const test::DeviceArray<float> bias_on(bias);
    const auto x_row = static_cast<std::size_t>(c.c);
    const auto y_row = static_cast<std::size_t>(outputs);
    for (const auto& [x_at, y_at, residual_at, weights_offset] : kPlaces) {
      SCOPED_TRACE(testing::Message()
                   << "x " << x_at.extra << '+' << x_at.offset << ", y " << y_at.extra << '+'
                   << y_at.offset << ", residual " << residual_at.extra << '+' << residual_at.offset
                   << ", weights +" << weights_offset);
      std::vector<float> all_weights(weights_offset);
      std::ranges::copy(packed(weights, c), std::back_inserter(all_weights));
      const test::DeviceElements weights_on(type, all_weights);
      const test::DeviceElements x_on(type,
                                      test::spread(x, x_row, x_row + x_at.extra, x_at.offset));
      const test::DeviceElements residual_on(
          type, test::spread(residual, y_row, y_row + residual_at.extra, residual_at.offset));
      const test::DeviceElements y_on(
          type,
          std::vector<float>(expected.size() / y_row * (y_row + y_at.extra),
                             std::numeric_limits<float>::quiet_NaN()));
      DepthwiseArgs args = described(c, op, y_desc.shape);
      args.type = type;
      args.x = x_on.at(x_at.offset);
      args.weights = weights_on.at(weights_offset);
      args.bias = fusion.bias ? bias_on.data() : nullptr;
      args.residual = fusion.residual ? residual_on.at(residual_at.offset) : nullptr;
      args.y = y_on.at(y_at.offset);
      args.x_stride = static_cast<std::int64_t>(x_row + x_at.extra);
      args.residual_stride = static_cast<std::int64_t>(y_row + residual_at.extra);
      args.y_stride = static_cast<std::int64_t>(y_row + y_at.extra);

      ASSERT_EQ(depthwise(args, stream()), cudaSuccess);

      // A rounding per product and sum, of partial sums of these values that stay below 32.
      const double error = static_cast<double>(c.kernel[0] * c.kernel[1] + 3) * 32.0 * 0x1p-24;
      test::expect_near(
          test::gathered(y_on.download(stream()), y_row, y_row + y_at.extra, y_at.offset),
          expected,
          error,
          test::unit_roundoff(type));
    }
  }
};

TEST_P(DepthwiseTest, EqualsTheReference) {
  for (const Case& c : kCases) {
    for (const Fusion& fusion : kFusions) {
      for (const ElementType type : test::kElementTypes) {
        SCOPED_TRACE(testing::Message()
                     << to_string(test::dtype_of(type)) << ", " << c.h << 'x' << c.w << 'x' << c.c
                     << " by " << c.kernel[0] << 'x' << c.kernel[1] << ", activation "
                     << static_cast<int>(fusion.activation));
        compare(c, fusion, type);
      }
    }
  }
}

/// Rows that end at every place of a run, and windows at every height of a picture.
TEST_P(DepthwiseTest, EqualsTheReferenceInSmallPictures) {
  const Fusion fusion{.bias = true, .input_relu = true, .activation = ActivationKind::kRelu};
  for (const std::int64_t side : {3, 5, 7}) {
    for (const std::int64_t stride : {1, 2}) {
      for (std::int64_t w = 1; w <= 9; ++w) {
        const std::int64_t pad = side / 2;
        const Case c{.n = 2,
                     .h = 10 - w,
                     .w = w,
                     .c = w % 2 == 0 ? 8 : 16,
                     .kernel = {side, side},
                     .strides = {stride, stride},
                     .pads = {pad, pad, pad, pad}};
        for (const ElementType type : test::kElementTypes) {
          SCOPED_TRACE(testing::Message() << to_string(test::dtype_of(type)) << ", " << c.h << 'x'
                                          << w << " by " << side << ", stride " << stride);
          compare(c, fusion, type);
        }
      }
    }
  }
}

/// More than the third side of a grid.
TEST_P(DepthwiseTest, TakesAnyNumberOfPictures) {
  compare({.n = 65536, .h = 1, .w = 1, .c = 8, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
          {},
          ElementType::kFloat32);
}

/// The larger a batch, the more rows a thread has: of a picture of 7, from 1 to all.
TEST_P(DepthwiseTest, GivesAPictureTheSameValuesInAnyBatch) {
  constexpr int kChannels = 8;
  constexpr int kPixels = 7 * 5;
  const std::vector<float> picture = test::random_floats(kPixels * kChannels, 1);
  const std::vector<float> weights = test::random_floats(9 * kChannels, 2);
  for (const ElementType type : test::kElementTypes) {
    const test::DeviceElements weights_on(type, weights);
    std::vector<float> alone;
    for (const int n : {1, 3000, 5000, 8000}) {
      SCOPED_TRACE(testing::Message() << to_string(test::dtype_of(type)) << ", " << n);
      std::vector<float> x;
      for (int i = 0; i < n; ++i) x.insert(x.end(), picture.begin(), picture.end());
      const test::DeviceElements x_on(type, x);
      const test::DeviceElements y_on(type, x.size());

      ASSERT_EQ(depthwise({.type = type,
                           .x = x_on.data(),
                           .weights = weights_on.data(),
                           .y = y_on.data(),
                           .x_stride = kChannels,
                           .y_stride = kChannels,
                           .n = n,
                           .h = 7,
                           .w = 5,
                           .c = kChannels,
                           .out_h = 7,
                           .out_w = 5,
                           .kernel_h = 3,
                           .kernel_w = 3,
                           .pad_top = 1,
                           .pad_left = 1},
                          stream()),
                cudaSuccess);

      const std::vector<float> y = y_on.download(stream());
      if (n == 1) alone = y;
      for (std::size_t begin = 0; begin < y.size(); begin += alone.size()) {
        ASSERT_TRUE(std::equal(alone.begin(), alone.end(), y.data() + begin)) << begin;
      }
    }
  }
}

TEST_P(DepthwiseTest, WorksInPlaceOfTheResidual) {
  const std::vector<float> x = test::random_floats(4 * 8, 1);
  const std::vector<float> residual = test::random_floats(4 * 8, 2);
  std::vector<float> want(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) want[i] = 2.0F * x[i] + residual[i];
  const test::DeviceArray<float> x_on(x);
  const test::DeviceArray<float> weights_on(std::vector<float>(8, 2.0F));
  const test::DeviceArray<float> y_on(residual);

  ASSERT_EQ(depthwise({.x = x_on.data(),
                       .weights = weights_on.data(),
                       .residual = y_on.data(),
                       .y = y_on.data(),
                       .x_stride = 8,
                       .residual_stride = 8,
                       .y_stride = 8,
                       .n = 1,
                       .h = 2,
                       .w = 2,
                       .c = 8,
                       .out_h = 2,
                       .out_w = 2},
                      stream()),
            cudaSuccess);

  // Products by 2 are exact, so there is one rounding on either side.
  test::expect_near(y_on.download(stream()), want, 0, 0);
}

TEST_P(DepthwiseTest, KeepsNaNThroughTheReluOfItsInput) {
  std::vector<float> x(4 * 8, -1.0F);
  x[9] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> want(x.size(), 0.0F);
  want[9] = x[9];
  const test::DeviceArray<float> x_on(x);
  const test::DeviceArray<float> weights_on(std::vector<float>(8, 1.0F));
  const test::DeviceArray<float> y_on(x.size());

  ASSERT_EQ(depthwise({.x = x_on.data(),
                       .weights = weights_on.data(),
                       .y = y_on.data(),
                       .x_stride = 8,
                       .y_stride = 8,
                       .n = 1,
                       .h = 2,
                       .w = 2,
                       .c = 8,
                       .out_h = 2,
                       .out_w = 2,
                       .input_relu = true},
                      stream()),
            cudaSuccess);

  test::expect_near(y_on.download(stream()), want, 0, 0);
}

/// Of both signs, and in windows that have other values too.
TEST_P(DepthwiseTest, KeepsNaNInRunsOfOutputs) {
  for (const ElementType type : test::kElementTypes) {
    for (const float sign : {1.0F, -1.0F}) {
      std::vector<float> x(4 * 8, -1.0F);
      x[9] = std::copysign(std::numeric_limits<float>::quiet_NaN(), sign);
      std::vector<float> want(x.size(), 0.0F);
      for (std::size_t i = 1; i < want.size(); i += 8) want[i] = x[9];
      const test::DeviceElements x_on(type, x);
      const test::DeviceElements weights_on(type, std::vector<float>(9 * 8, 1.0F));
      const test::DeviceElements y_on(type, x.size());

      ASSERT_EQ(depthwise({.type = type,
                           .x = x_on.data(),
                           .weights = weights_on.data(),
                           .y = y_on.data(),
                           .x_stride = 8,
                           .y_stride = 8,
                           .n = 1,
                           .h = 2,
                           .w = 2,
                           .c = 8,
                           .out_h = 2,
                           .out_w = 2,
                           .kernel_h = 3,
                           .kernel_w = 3,
                           .pad_top = 1,
                           .pad_left = 1,
                           .input_relu = true,
                           .activation = {ActivationKind::kClip, -0.5F, 6.0F}},
                          stream()),
                cudaSuccess);

      test::expect_near(y_on.download(stream()), want, 0, 0);
    }
  }
}

TEST_P(DepthwiseTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const DepthwiseArgs good{.x = memory.data(),
                           .weights = memory.data() + 16,
                           .residual = memory.data() + 32,
                           .y = memory.data() + 48,
                           .x_stride = 4,
                           .residual_stride = 4,
                           .y_stride = 4,
                           .n = 1,
                           .h = 2,
                           .w = 2,
                           .c = 4,
                           .out_h = 1,
                           .out_w = 1,
                           .kernel_h = 2,
                           .kernel_w = 2};
  for (const auto& break_it :
       std::vector<void (*)(DepthwiseArgs&)>{[](DepthwiseArgs& a) { a.n = -1; },
                                             [](DepthwiseArgs& a) { a.h = 0; },
                                             [](DepthwiseArgs& a) { a.w = 0; },
                                             [](DepthwiseArgs& a) { a.c = 0; },
                                             [](DepthwiseArgs& a) { a.multiplier = 0; },
                                             [](DepthwiseArgs& a) { a.multiplier = 2; },
                                             [](DepthwiseArgs& a) { a.out_h = 0; },
                                             [](DepthwiseArgs& a) { a.out_w = 0; },
                                             [](DepthwiseArgs& a) { a.kernel_h = 0; },
                                             [](DepthwiseArgs& a) { a.kernel_w = 0; },
                                             [](DepthwiseArgs& a) { a.stride_h = 0; },
                                             [](DepthwiseArgs& a) { a.stride_w = 0; },
                                             [](DepthwiseArgs& a) { a.dilation_h = 0; },
                                             [](DepthwiseArgs& a) { a.dilation_w = 0; },
                                             [](DepthwiseArgs& a) { a.pad_top = -1; },
                                             [](DepthwiseArgs& a) { a.pad_left = -1; },
                                             [](DepthwiseArgs& a) { a.x_stride = 3; },
                                             [](DepthwiseArgs& a) { a.residual_stride = 3; },
                                             [](DepthwiseArgs& a) { a.y_stride = 3; },
                                             [](DepthwiseArgs& a) { a.activation_channels = 5; },
                                             [](DepthwiseArgs& a) { a.activation_channels = -1; },
                                             [](DepthwiseArgs& a) { a.dilation_w = 1 << 30; },
                                             [](DepthwiseArgs& a) { a.n = a.out_h = 1 << 15; }}) {
    DepthwiseArgs bad = good;
    break_it(bad);
    EXPECT_EQ(depthwise(bad, stream()), cudaErrorInvalidValue);
  }
  DepthwiseArgs nothing = good;
  nothing.n = 0;
  EXPECT_EQ(depthwise(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(DepthwiseTest);

}  // namespace
}  // namespace fovea::kernels
