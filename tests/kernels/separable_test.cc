#include "kernels/separable.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tests/kernels/convolution_case.h"

namespace fovea::kernels {
namespace {

constexpr SeparableTile kTiles[] = {SeparableTile::kSimt64x64,
                                    SeparableTile::kSimt128x128,
                                    SeparableTile::kMma64x64,
                                    SeparableTile::kMma64x128,
                                    SeparableTile::kMma64x256};

/// Sizes and fusions of both parts. Addresses, strides and sizes of y are filled in, and those of
/// the pointwise part that follow from the depthwise one.
struct SeparableCase {
  std::string name;
  DepthwiseArgs depthwise;
  int pad_bottom = 1;
  int pad_right = 1;
  bool bias = true;          ///< of the depthwise part
  std::size_t x_extra = 0;   ///< channels of x's pixels beyond its own
  std::size_t x_offset = 0;  ///< of x in its pixels
  test::ConvolutionCase pointwise;
};

/// 3 x 3 windows over pictures, and filters.
SeparableCase layer(int n, int h, int w, int channels, int filters) {
  SeparableCase c;
  c.name = std::to_string(n) + " of " + std::to_string(h) + " x " + std::to_string(w) + " x " +
           std::to_string(channels) + " to " + std::to_string(filters);
  c.depthwise = {.n = n, .h = h, .w = w, .c = channels, .kernel_h = 3, .kernel_w = 3};
  c.depthwise.pad_top = c.depthwise.pad_left = 1;
  c.pointwise.args.filters = filters;
  return c;
}

/// A line of pixels, so that tiles of pixels end where they are asked to.
SeparableCase line(int pixels, int channels, int filters) {
  return layer(1, 1, pixels, channels, filters);
}

/// The sizes of everything.
SeparableArgs sized(const SeparableCase& c) {
  DepthwiseArgs a = c.depthwise;
  a.out_h = (a.h + a.pad_top + c.pad_bottom - 2 * a.dilation_h - 1) / a.stride_h + 1;
  a.out_w = (a.w + a.pad_left + c.pad_right - 2 * a.dilation_w - 1) / a.stride_w + 1;
  ConvolutionArgs b = c.pointwise.args;
  b.n = a.n;
  b.h = b.out_h = a.out_h;
  b.w = b.out_w = a.out_w;
  b.c = a.c;
  return {a, b};
}

/// The pointwise part as a convolution of its own.
test::ConvolutionCase pointwise_of(const SeparableCase& c) {
  test::ConvolutionCase pointwise = c.pointwise;
  pointwise.args = sized(c).pointwise;
  return pointwise;
}

struct Operands {
  std::vector<float> x;
  std::vector<float> depthwise_weights;  ///< [3][3][c]
  std::vector<float> depthwise_bias;
  test::ConvolutionOperands pointwise;  ///< x is what lies between the parts
};

/// Multiples of a quarter up to 3: sums of nine products of two of them are exact in float32, in
/// any order.
std::vector<float> quarters(std::size_t count, unsigned seed) {
  std::vector<float> values = test::random_floats(count, seed);
  for (float& value : values) value = std::round(std::clamp(value, -3.0F, 3.0F) * 4.0F) / 4.0F;
  return values;
}

/// What lies between the parts: exact sums, rounded to T once.
template <typename T>
std::vector<float> between(const DepthwiseArgs& a, const Operands& on) {
  const ConvolutionArgs windows{.n = a.n,
                                .h = a.h,
                                .w = a.w,
                                .c = a.c,
                                .out_h = a.out_h,
                                .out_w = a.out_w,
                                .filters = a.c,
                                .kernel_h = 3,
                                .kernel_w = 3,
                                .stride_h = a.stride_h,
                                .stride_w = a.stride_w,
                                .dilation_h = a.dilation_h,
                                .dilation_w = a.dilation_w,
                                .pad_top = a.pad_top,
                                .pad_left = a.pad_left,
                                .groups = a.c};
  std::vector<float> weights(on.depthwise_weights.size());  // [c][3][3]
  const auto channels = static_cast<std::size_t>(a.c);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i % channels * 9 + i / channels] = on.depthwise_weights[i];
  }
  std::vector<float> x = on.x;
  if (a.input_relu) {
    for (float& value : x) value = std::max(value, 0.0F);
  }
  const fovea::Activation activation{
      static_cast<fovea::ActivationKind>(a.activation.kind), a.activation.lo, a.activation.hi};
  const std::size_t pixels = static_cast<std::size_t>(a.n) * static_cast<std::size_t>(a.out_h) *
                             static_cast<std::size_t>(a.out_w);
  std::vector<float> values(pixels * channels);
  for (std::size_t at = 0; at < values.size(); ++at) {
    const std::size_t channel = at % channels;
    test::ExactSum sum = test::products_of(windows, x, weights, static_cast<int>(at));
    if (!on.depthwise_bias.empty()) sum.add(double{on.depthwise_bias[channel]});
    const bool activated =
        a.activation_channels == 0 || channel < static_cast<std::size_t>(a.activation_channels);
    values[at] = static_cast<float>(activated ? apply(activation, sum.value) : sum.value);
  }
  return test::to_numbers(test::to_elements<T>(values));
}

template <typename T>
Operands operands_of(const SeparableCase& c) {
  const DepthwiseArgs a = sized(c).depthwise;
  const auto channels = static_cast<std::size_t>(a.c);
  const std::size_t pixels =
      static_cast<std::size_t>(a.n) * static_cast<std::size_t>(a.h) * static_cast<std::size_t>(a.w);
  Operands on{.x = quarters(pixels * channels, 11),
              .depthwise_weights = quarters(9 * channels, 12),
              .depthwise_bias = c.bias ? quarters(channels, 13) : std::vector<float>{},
              .pointwise = test::operands_of<T>(pointwise_of(c))};
  on.pointwise.x = between<T>(a, on);
  return on;
}

/// The operands on the device.
template <typename T>
class Placed {
 public:
  Placed(const SeparableCase& c, const Operands& on)
      : c_(c),
        channels_(static_cast<std::size_t>(c.depthwise.c)),
        filters_(static_cast<std::size_t>(c.pointwise.args.filters)),
        y_stride_(filters_ + c.pointwise.extra),
        x_(test::to_elements<T>(test::spread(on.x, channels_, channels_ + c.x_extra, c.x_offset))),
        depthwise_weights_(test::to_elements<T>(on.depthwise_weights)),
        depthwise_bias_(on.depthwise_bias),
        weights_(test::packed_rows<T>(on.pointwise.weights, sized(c).pointwise)),
        bias_(on.pointwise.bias),
        residual_(slice(on.pointwise.residual)),
        y_(slice(std::vector<float>(on.pointwise.x.size() / channels_ * filters_,
                                    std::numeric_limits<float>::quiet_NaN()))),
        between_(on.pointwise.x.size()) {}

  [[nodiscard]] SeparableArgs args() const {
    SeparableArgs args = sized(c_);
    DepthwiseArgs& a = args.depthwise;
    a.type = test::kElementType<T>;
    a.x = x_.data() + c_.x_offset;
    a.x_stride = static_cast<std::int64_t>(channels_ + c_.x_extra);
    a.weights = depthwise_weights_.data();
    a.bias = c_.bias ? depthwise_bias_.data() : nullptr;
    ConvolutionArgs& b = args.pointwise;
    b.type = test::kElementType<T>;
    b.weights = weights_.data();
    b.bias = c_.pointwise.bias ? bias_.data() : nullptr;
    b.residual = c_.pointwise.residual ? residual_.data() + c_.pointwise.offset : nullptr;
    b.y = target().data() + c_.pointwise.offset;
    b.residual_stride = b.y_stride = static_cast<std::int64_t>(y_stride_);
    return args;
  }

  /// The same as two launches, with a tensor of its own between them.
  [[nodiscard]] SeparableArgs apart() const {
    SeparableArgs args = this->args();
    args.depthwise.y = between_.data();
    args.pointwise.x = between_.data();
    args.depthwise.y_stride = args.pointwise.x_stride = args.depthwise.c;
    return args;
  }

  /// y; fails the test where its surroundings have changed.
  [[nodiscard]] std::vector<float> result(cudaStream_t stream) const {
    return test::gathered(
        test::to_numbers(target().download(stream)), filters_, y_stride_, c_.pointwise.offset);
  }

 private:
  [[nodiscard]] std::vector<T> slice(const std::vector<float>& values) const {
    return test::to_elements<T>(test::spread(values, filters_, y_stride_, c_.pointwise.offset));
  }

  [[nodiscard]] const test::DeviceArray<T>& target() const {
    return c_.pointwise.in_place ? residual_ : y_;
  }

  const SeparableCase& c_;
  std::size_t channels_;
  std::size_t filters_;
  std::size_t y_stride_;
  test::DeviceArray<T> x_;
  test::DeviceArray<T> depthwise_weights_;
  test::DeviceArray<float> depthwise_bias_;
  test::DeviceArray<T> weights_;
  test::DeviceArray<float> bias_;
  test::DeviceArray<T> residual_;
  test::DeviceArray<T> y_;
  test::DeviceArray<T> between_;
};

class SeparableTest : public test::DeviceTest {
 protected:
  /// Every tile, for every type, against sums in double precision.
  void expect_all(const SeparableCase& c) {
    expect_tiles<float>(c);
    expect_tiles<__half>(c);
    expect_tiles<__nv_bfloat16>(c);
  }

  /// Every tile, for every type, against the launches that it stands for.
  void expect_both_launches(const SeparableCase& c) {
    expect_bits<float>(c);
    expect_bits<__half>(c);
    expect_bits<__nv_bfloat16>(c);
  }

 private:
  template <typename T>
  void expect_tiles(const SeparableCase& c) {
    if (HasFatalFailure()) return;
    const Operands on = operands_of<T>(c);
    for (const SeparableTile tile : kTiles) {
      SCOPED_TRACE(testing::Message()
                   << c.name << " by " << name_of(tile) << ", unit " << test::kUnit<T>);
      const bool mma = uses_tensor_cores(tile);
      const bool tf32 = mma && sizeof(T) == 4;
      // Tensor cores cut sums off where others round them.
      const std::vector<test::ConvolutionOutput> expected = test::convolved(
          pointwise_of(c), on.pointwise, tf32 ? 10 : 23, mma ? 0x1p-23 : 0x1p-24, test::kUnit<T>);
      const Placed<T> placed(c, on);

      ASSERT_EQ(separable(placed.args(), tile, stream()), cudaSuccess);

      const std::vector<float> got = placed.result(stream());
      ASSERT_EQ(got.size(), expected.size());
      const auto filters = static_cast<std::size_t>(c.pointwise.args.filters);
      for (std::size_t i = 0; i < got.size(); ++i) {
        const double error = std::abs(double{got[i]} - expected[i].value);
        ASSERT_TRUE(error <= expected[i].bound)
            << "pixel " << i / filters << ", filter " << i % filters << ": " << got[i] << " for "
            << expected[i].value << ", bound " << expected[i].bound;
      }
    }
  }

  template <typename T>
  void expect_bits(const SeparableCase& c) {
    if (HasFatalFailure()) return;
    Operands on = operands_of<T>(c);
    // Any values: the sums of the depthwise part round.
    on.x = test::to_numbers(test::to_elements<T>(test::random_floats(on.x.size(), 21)));
    on.depthwise_weights = test::to_numbers(
        test::to_elements<T>(test::random_floats(on.depthwise_weights.size(), 22)));
    for (const SeparableTile tile : kTiles) {
      SCOPED_TRACE(testing::Message()
                   << c.name << " by " << name_of(tile) << ", unit " << test::kUnit<T>);
      const Placed<T> one(c, on);
      const Placed<T> two(c, on);
      const SeparableArgs apart = two.apart();

      ASSERT_EQ(separable(one.args(), tile, stream()), cudaSuccess);
      ASSERT_EQ(depthwise(apart.depthwise, stream()), cudaSuccess);
      ASSERT_EQ(convolution(apart.pointwise,
                            uses_tensor_cores(tile) ? ConvolutionTile::kMma64x64
                                                    : ConvolutionTile::kSimt64x64,
                            stream()),
                cudaSuccess);

      ASSERT_EQ(one.result(stream()), two.result(stream()));
    }
  }
};

// One below, at and above the sizes of tiles, stages (8 to 32 channels) and all stages together.
TEST_P(SeparableTest, EqualsTheDefinitionAtEveryEdgeOfATile) {
  for (const auto& [pixels, channels, filters] : {std::array{1, 8, 1},
                                                  std::array{63, 8, 65},
                                                  std::array{64, 16, 64},
                                                  std::array{65, 24, 63},
                                                  std::array{64, 32, 129},
                                                  std::array{127, 40, 127},
                                                  std::array{129, 64, 128},
                                                  std::array{17, 72, 255},
                                                  std::array{5, 96, 257},
                                                  std::array{9, 104, 12},
                                                  std::array{3, 136, 5}}) {
    expect_all(line(pixels, channels, filters));
  }
}

TEST_P(SeparableTest, EqualsTheDefinitionForEveryWindow) {
  const auto window = [&](const char* name, auto change) {
    SeparableCase c = layer(2, 7, 6, 16, 12);
    c.name = name;
    change(c);
    return c;
  };
  expect_all(window("padded all around", [](SeparableCase&) {}));
  expect_all(window("stride 2",
                    [](SeparableCase& c) { c.depthwise.stride_h = c.depthwise.stride_w = 2; }));
  expect_all(window("stride 2, padded behind only", [](SeparableCase& c) {
    c.depthwise.stride_h = c.depthwise.stride_w = 2;
    c.depthwise.pad_top = c.depthwise.pad_left = 0;
  }));
  expect_all(window("strides 1 and 3, not padded", [](SeparableCase& c) {
    c.depthwise.stride_w = 3;
    c.depthwise.pad_top = c.depthwise.pad_left = c.pad_bottom = c.pad_right = 0;
  }));
  expect_all(window("dilated by 2 and 3, padded unevenly", [](SeparableCase& c) {
    c.depthwise.dilation_h = 2;
    c.depthwise.dilation_w = 3;
    c.depthwise.pad_top = 3;
    c.depthwise.pad_left = 2;
    c.pad_right = 4;
  }));
  expect_all(window("windows wholly in the padding", [](SeparableCase& c) {
    c.depthwise.pad_left = 4;
    c.pad_bottom = 5;
  }));
}

TEST_P(SeparableTest, AddsAndActivatesInOrder) {
  for (const auto kind : {ActivationKind::kNone, ActivationKind::kRelu, ActivationKind::kClip}) {
    for (const int activated : {0, 5}) {
      if (kind == ActivationKind::kNone && activated != 0) continue;
      SeparableCase c = layer(1, 4, 3, 16, 12);
      c.name = "activation " + std::to_string(static_cast<int>(kind)) + " of " +
               std::to_string(activated);
      c.bias = activated == 0;
      c.depthwise.input_relu = activated != 0;
      c.depthwise.activation = {.kind = kind, .lo = -0.5F, .hi = 2.0F};
      c.depthwise.activation_channels = activated;
      c.pointwise.bias = activated != 0;
      c.pointwise.residual = activated == 0;
      c.pointwise.args.activation = {.kind = kind, .lo = -1.0F, .hi = 4.0F};
      c.pointwise.args.activation_channels = activated;
      expect_all(c);
    }
  }
}

TEST_P(SeparableTest, ReadsAndWritesSlices) {
  for (const auto& [extra, offset, filters] : {std::array<std::size_t, 3>{24, 8, 20},
                                               std::array<std::size_t, 3>{24, 4, 20},
                                               std::array<std::size_t, 3>{5, 2, 20},
                                               std::array<std::size_t, 3>{24, 16, 19}}) {
    SeparableCase c = layer(2, 4, 5, 16, static_cast<int>(filters));
    c.x_extra = 24;
    c.x_offset = 8;
    c.pointwise.residual = true;
    c.pointwise.extra = extra;
    c.pointwise.offset = offset;
    expect_all(c);
    c.pointwise.in_place = true;
    expect_all(c);
  }
}

TEST_P(SeparableTest, IsTheTwoLaunchesBitForBit) {
  SeparableCase c = layer(2, 9, 8, 40, 72);
  expect_both_launches(c);
  c.depthwise.stride_h = c.depthwise.stride_w = 2;
  c.depthwise.input_relu = true;
  c.depthwise.activation.kind = ActivationKind::kTanh;
  c.pointwise.residual = true;
  c.pointwise.args.activation.kind = ActivationKind::kSigmoid;
  expect_both_launches(c);
  expect_both_launches(layer(1, 3, 3, 136, 260));
}

TEST_P(SeparableTest, KeepsNan) {
  for (const SeparableTile tile : kTiles) {
    SeparableCase c = layer(1, 1, 7, 8, 4);
    c.depthwise.input_relu = true;
    c.depthwise.activation.kind = ActivationKind::kRelu;
    Operands on = operands_of<float>(c);
    on.x[8 * 3 + 1] = std::numeric_limits<float>::quiet_NaN();
    const Placed<float> placed(c, on);

    ASSERT_EQ(separable(placed.args(), tile, stream()), cudaSuccess);

    const std::vector<float> y = placed.result(stream());
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(std::isnan(y[i]), i / 4 >= 2 && i / 4 <= 4) << i;
    }
  }
}

TEST_P(SeparableTest, RefusesWhatItDoesNotKnow) {
  const SeparableCase c = layer(1, 3, 3, 8, 4);
  const Placed<__half> placed(c, operands_of<__half>(c));
  const SeparableArgs good = placed.args();
  ASSERT_EQ(separable(good, SeparableTile::kSimt64x64, stream()), cudaSuccess);
  for (const auto& break_it : std::vector<void (*)(SeparableArgs&)>{
           [](SeparableArgs& a) { a.depthwise.n = -1; },
           [](SeparableArgs& a) { a.depthwise.n = 2; },
           [](SeparableArgs& a) { a.depthwise.h = 0; },
           [](SeparableArgs& a) { a.depthwise.c = 16; },
           [](SeparableArgs& a) { a.depthwise.c = a.pointwise.c = 4; },
           [](SeparableArgs& a) { a.depthwise.multiplier = 2; },
           [](SeparableArgs& a) { a.depthwise.kernel_h = 5; },
           [](SeparableArgs& a) { a.depthwise.kernel_w = 1; },
           [](SeparableArgs& a) { a.depthwise.stride_h = 0; },
           [](SeparableArgs& a) { a.depthwise.pad_top = -1; },
           [](SeparableArgs& a) { a.depthwise.pad_left = 1 << 29; },
           [](SeparableArgs& a) { a.depthwise.out_w = 2; },
           [](SeparableArgs& a) { a.depthwise.x_stride = 7; },
           [](SeparableArgs& a) { a.depthwise.x_stride = 12; },
           [](SeparableArgs& a) { a.depthwise.residual = a.depthwise.x; },
           [](SeparableArgs& a) { a.depthwise.activation_channels = 9; },
           [](SeparableArgs& a) { a.depthwise.type = ElementType::kBFloat16; },
           [](SeparableArgs& a) { a.depthwise.x = static_cast<const __half*>(a.depthwise.x) + 4; },
           [](SeparableArgs& a) { a.pointwise.kernel_w = 3; },
           [](SeparableArgs& a) { a.pointwise.stride_h = 2; },
           [](SeparableArgs& a) { a.pointwise.pad_left = 1; },
           [](SeparableArgs& a) { a.pointwise.groups = 2; },
           [](SeparableArgs& a) { a.pointwise.input_relu = true; },
           [](SeparableArgs& a) { a.pointwise.filters = 0; },
           [](SeparableArgs& a) { a.pointwise.y_stride = 3; },
           [](SeparableArgs& a) { a.pointwise.activation_channels = 5; },
           [](SeparableArgs& a) {
             a.pointwise.weights = static_cast<const __half*>(a.pointwise.weights) + 4;
           }}) {
    SeparableArgs bad = good;
    break_it(bad);
    EXPECT_EQ(separable(bad, SeparableTile::kSimt64x64, stream()), cudaErrorInvalidValue);
  }
  SeparableArgs nothing = good;
  nothing.depthwise.n = nothing.pointwise.n = 0;
  for (const SeparableTile tile : kTiles) {
    EXPECT_EQ(separable(nothing, tile, stream()), cudaSuccess);
  }
}

FOVEA_ON_EVERY_DEVICE_RUN(SeparableTest);

TEST(SeparableTiles, HoldAllFiltersWhereThatFillsADevice) {
  EXPECT_EQ(
      separable_tiles(sized(layer(16, 28, 28, 128, 256))),
      (std::vector{
          SeparableTile::kMma64x256, SeparableTile::kMma64x128, SeparableTile::kSimt128x128}));
  EXPECT_EQ(separable_tiles(sized(layer(1, 28, 28, 128, 256))).front(), SeparableTile::kMma64x128);
}

TEST(SeparableTiles, AreNotMoreThanTwiceTooLarge) {
  EXPECT_EQ(separable_tiles(sized(layer(8, 28, 28, 32, 64))),
            (std::vector{SeparableTile::kMma64x64, SeparableTile::kSimt64x64}));
}

TEST(SeparableTiles, ThereAreNoneWhereTheDepthwisePartWouldBeComputedOften) {
  EXPECT_TRUE(separable_tiles(sized(layer(8, 19, 19, 728, 728))).empty());
}

TEST(SeparableTiles, ThereAreNoneForOtherWindows) {
  SeparableArgs args = sized(layer(8, 28, 28, 32, 64));
  args.depthwise.kernel_h = args.depthwise.kernel_w = 5;

  EXPECT_TRUE(separable_tiles(args).empty());
}

}  // namespace
}  // namespace fovea::kernels
