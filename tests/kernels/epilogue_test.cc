#include "kernels/epilogue.h"

#include <limits>

#include "engine/graph/ops/activation.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

struct Case {
  std::size_t pixels;
  std::size_t channels;
  std::size_t x_extra;  ///< stride beyond the channels
  std::size_t residual_extra;
  std::size_t y_extra;
  std::size_t offset;  ///< of every slice
};

const std::vector<Case> kCases{{1, 1, 0, 0, 0, 0},
                               {5, 31, 0, 0, 0, 0},
                               {4, 32, 0, 0, 0, 0},
                               {3, 33, 2, 1, 3, 1},
                               {9, 36, 8, 4, 12, 4},
                               {9, 36, 8, 4, 12, 2},
                               {9, 36, 8, 3, 12, 3},
                               {9, 40, 8, 16, 24, 8},
                               {196, 64, 0, 64, 0, 0}};

class EpilogueTest : public test::DeviceTest {
 protected:
  static std::vector<float> numbers(std::size_t size, unsigned seed) {
    std::vector<float> values = test::random_floats(size, seed, 3.0F);
    if (size > 30) {
      values[3] = std::numeric_limits<float>::quiet_NaN();
      values[11] = std::numeric_limits<float>::infinity();
      values[12] = -std::numeric_limits<float>::infinity();
      values[13] = -0.0F;
    }
    return values;
  }

  static std::vector<float> expected(const std::vector<float>& x,
                                     const std::vector<float>& residual,
                                     const std::vector<float>& bias,
                                     const fovea::Activation& activation,
                                     std::size_t channels) {
    std::vector<float> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      double sum = x[i];
      if (!residual.empty()) sum += residual[i];
      if (!bias.empty()) sum += bias[bias.size() == 1 ? 0 : i % channels];
      y[i] = static_cast<float>(apply(activation, sum));
    }
    return y;
  }

  void compare(const Case& c,
               ElementType type,
               ActivationKind kind,
               bool has_residual,
               std::size_t bias_channels) {
    SCOPED_TRACE(testing::Message()
                 << to_string(test::dtype_of(type)) << ", " << c.channels << " channels at "
                 << c.offset << ", activation " << static_cast<int>(kind) << ", residual "
                 << has_residual << ", bias " << bias_channels);
    const std::vector<float> x = test::rounded(numbers(c.pixels * c.channels, 1), type);
    const std::vector<float> residual = test::rounded(test::random_floats(x.size(), 2), type);
    const std::vector<float> bias = test::random_floats(bias_channels, 4);
    const std::size_t x_stride = c.channels + c.x_extra;
    const std::size_t residual_stride = c.channels + c.residual_extra;
    const std::size_t y_stride = c.channels + c.y_extra;
    const auto in_slice = [&c](std::size_t extra) {
      return extra == 0 ? 0 : std::min(c.offset, extra);
    };
    const test::DeviceElements x_on(type,
                                    test::spread(x, c.channels, x_stride, in_slice(c.x_extra)));
    const test::DeviceElements residual_on(
        type, test::spread(residual, c.channels, residual_stride, in_slice(c.residual_extra)));
    const test::DeviceArray<float> bias_on(bias);
    const test::DeviceElements y_on(
        type, std::vector<float>(c.pixels * y_stride, std::numeric_limits<float>::quiet_NaN()));

    ASSERT_EQ(
        epilogue({.type = type,
                  .x = x_on.at(in_slice(c.x_extra)),
                  .bias = bias_channels == 0 ? nullptr : bias_on.data(),
                  .residual = has_residual ? residual_on.at(in_slice(c.residual_extra)) : nullptr,
                  .y = y_on.at(in_slice(c.y_extra)),
                  .x_stride = static_cast<std::int64_t>(x_stride),
                  .residual_stride = static_cast<std::int64_t>(residual_stride),
                  .y_stride = static_cast<std::int64_t>(y_stride),
                  .pixels = static_cast<std::int64_t>(c.pixels),
                  .channels = static_cast<int>(c.channels),
                  .bias_channels = static_cast<int>(bias_channels),
                  .activation = {.kind = kind, .lo = -0.5F, .hi = 6.0F}},
                 stream()),
        cudaSuccess);

    const fovea::Activation activation{static_cast<fovea::ActivationKind>(kind), -0.5F, 6.0F};
    // Two roundings of sums below 16, and 2 ulp of tanhf or expf; then one of the result.
    constexpr double kError = 4e-6;
    test::expect_near(
        test::gathered(y_on.download(stream()), c.channels, y_stride, in_slice(c.y_extra)),
        expected(x, has_residual ? residual : std::vector<float>{}, bias, activation, c.channels),
        kError,
        kError + test::unit_roundoff(type));
  }
};

constexpr ActivationKind kKinds[] = {ActivationKind::kNone,
                                     ActivationKind::kRelu,
                                     ActivationKind::kClip,
                                     ActivationKind::kTanh,
                                     ActivationKind::kSigmoid};

TEST_P(EpilogueTest, EqualsADoubleLoop) {
  for (const Case& c : kCases) {
    for (const ElementType type : test::kElementTypes) {
      for (const ActivationKind kind : kKinds) {
        for (const bool has_residual : {false, true}) {
          for (const std::size_t bias_channels : {std::size_t{0}, std::size_t{1}, c.channels}) {
            compare(c, type, kind, has_residual, bias_channels);
          }
        }
      }
    }
  }
}

TEST_P(EpilogueTest, WorksInPlaceOfXAndOfTheResidual) {
  for (const ElementType type : test::kElementTypes) {
    const std::vector<float> x = test::rounded(test::random_floats(7 * 33, 1), type);
    const std::vector<float> residual = test::rounded(test::random_floats(7 * 33, 2), type);
    const std::vector<float> want =
        expected(x, residual, {}, {.kind = fovea::ActivationKind::kRelu}, 33);
    for (const bool over_x : {true, false}) {
      const test::DeviceElements x_on(type, x);
      const test::DeviceElements residual_on(type, residual);
      const test::DeviceElements& y_on = over_x ? x_on : residual_on;

      ASSERT_EQ(epilogue({.type = type,
                          .x = x_on.data(),
                          .residual = residual_on.data(),
                          .y = y_on.data(),
                          .x_stride = 33,
                          .residual_stride = 33,
                          .y_stride = 33,
                          .pixels = 7,
                          .channels = 33,
                          .activation = {.kind = ActivationKind::kRelu}},
                         stream()),
                cudaSuccess);

      // The sum of two numbers and their float32 sum round to the same 16-bit number: there is room
      // for twice the bits and two more.
      test::expect_near(y_on.download(stream()), test::rounded(want, type), 0, 0);
    }
  }
}

TEST_P(EpilogueTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const EpilogueArgs good{.x = memory.data(),
                          .bias = memory.data() + 32,
                          .residual = memory.data() + 16,
                          .y = memory.data() + 48,
                          .x_stride = 4,
                          .residual_stride = 4,
                          .y_stride = 4,
                          .pixels = 4,
                          .channels = 4,
                          .bias_channels = 4};
  for (const auto& break_it : std::vector<void (*)(EpilogueArgs&)>{
           [](EpilogueArgs& a) { a.pixels = -1; },
           [](EpilogueArgs& a) { a.pixels = std::int64_t{1} << 29; },
           [](EpilogueArgs& a) { a.channels = 0; },
           [](EpilogueArgs& a) { a.x_stride = 3; },
           [](EpilogueArgs& a) { a.residual_stride = 3; },
           [](EpilogueArgs& a) { a.y_stride = 3; },
           [](EpilogueArgs& a) { a.bias_channels = 2; }}) {
    EpilogueArgs bad = good;
    break_it(bad);
    EXPECT_EQ(epilogue(bad, stream()), cudaErrorInvalidValue);
  }
  EpilogueArgs nothing = good;
  nothing.pixels = 0;
  EXPECT_EQ(epilogue(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(EpilogueTest);

}  // namespace
}  // namespace fovea::kernels
