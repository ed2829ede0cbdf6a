#include "kernels/quantize.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/graph/ops/dequantize_linear.h"
#include "engine/graph/ops/quantize_linear.h"
#include "tests/kernels/device_test.h"

namespace fovea::kernels {
namespace {

/// A tensor [outer][channels][inner] with a scale for each channel, or with one.
struct Case {
  std::int64_t outer;
  std::int64_t channels;
  std::int64_t inner;
  bool per_channel;
};

/// Counts around a vector and a block; channels that begin within a vector.
const std::vector<Case> kCases{{1, 1, 1, true},
                               {3, 1, 1, false},
                               {1, 4, 1, true},
                               {2, 5, 1, true},
                               {4, 5, 3, true},
                               {2, 3, 8, true},
                               {1, 31, 33, false},
                               {65, 16, 1, true}};

Shape shape_of(const Case& c) {
  return {c.outer, c.channels, c.inner};
}

std::int64_t scales_of(const Case& c) {
  return c.per_channel ? c.channels : 1;
}

template <typename T>
constexpr DType dtype_of() {
  if (std::is_same_v<T, std::int8_t>) return DType::kInt8;
  if (std::is_same_v<T, std::uint8_t>) return DType::kUInt8;
  return DType::kInt32;
}

template <typename T>
constexpr IntegerType type_of() {
  if (std::is_same_v<T, std::int8_t>) return IntegerType::kInt8;
  if (std::is_same_v<T, std::uint8_t>) return IntegerType::kUInt8;
  return IntegerType::kInt32;
}

template <typename T>
const std::byte* bytes(const std::vector<T>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

class QuantizeTest : public test::DeviceTest {
 protected:
  static std::vector<float> scales(const Case& c) {
    std::vector<float> result(static_cast<std::size_t>(scales_of(c)));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = 0.5F / static_cast<float>(i + 1);
    return result;
  }

  template <typename T>
  static std::vector<T> zero_points(const Case& c) {
    std::vector<T> result(static_cast<std::size_t>(scales_of(c)));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<T>(3 * i + 1);
    return result;
  }

  template <typename T>
  static QuantizationGrid grid_for(const Case& c) {
    return {.type = type_of<T>(), .channels = scales_of(c), .inner = c.per_channel ? c.inner : 1};
  }

  template <typename T>
  void compare_quantized(const Case& c) {
    std::vector<float> x =
        test::random_floats(static_cast<std::size_t>(num_elements(shape_of(c))), 5, 40.0F);
    const std::vector<float> special{0.25F,
                                     0.75F,
                                     -0.25F,
                                     std::numeric_limits<float>::quiet_NaN(),
                                     std::numeric_limits<float>::infinity(),
                                     -std::numeric_limits<float>::infinity(),
                                     1e30F,
                                     -8388609.0F};
    std::copy_n(special.begin(), std::min(special.size(), x.size()), x.begin());
    const std::vector<float> scale = scales(c);
    const std::vector<T> zero = zero_points<T>(c);
    const TensorDesc x_desc{DType::kFloat32, shape_of(c)};
    const TensorDesc scale_desc{DType::kFloat32, {scales_of(c)}};
    const TensorDesc zero_desc{dtype_of<T>(), {scales_of(c)}};
    const TensorDesc y_desc{dtype_of<T>(), shape_of(c)};
    std::vector<T> expected(x.size());
    const std::vector<ConstTensorView> inputs{
        {&x_desc, bytes(x)}, {&scale_desc, bytes(scale)}, {&zero_desc, bytes(zero)}};
    const TensorView output{&y_desc, reinterpret_cast<std::byte*>(expected.data())};
    QuantizeLinear{.axis = 1}.evaluate(inputs, {&output, 1});
    const test::DeviceArray<float> x_on(x);
    const test::DeviceArray<float> scale_on(scale);
    const test::DeviceArray<T> zero_on(zero);
    const test::DeviceArray<T> y_on(x.size());
    QuantizationGrid grid = grid_for<T>(c);
    grid.scale = scale_on.data();
    grid.zero_point = zero_on.data();

    ASSERT_EQ(
        quantize(x_on.data(), y_on.data(), grid, static_cast<std::int64_t>(x.size()), stream()),
        cudaSuccess);

    EXPECT_EQ(y_on.download(stream()), expected);
  }

  template <typename T>
  void compare_dequantized(const Case& c, bool has_zero_point) {
    std::mt19937 random(9);
    std::uniform_int_distribution<std::int64_t> any(std::numeric_limits<T>::min(),
                                                    std::numeric_limits<T>::max());
    std::vector<T> x(static_cast<std::size_t>(num_elements(shape_of(c))));
    for (T& value : x) value = static_cast<T>(any(random));
    x[0] = std::numeric_limits<T>::min();
    std::vector<float> scale = scales(c);
    // 24 bits, so that products of an i32 have more than a double holds.
    for (float& value : scale) value *= 1.0F + 0x1.2345p-1F + 0x1p-23F;
    std::vector<T> zero = zero_points<T>(c);
    zero[0] = std::numeric_limits<T>::max();
    const TensorDesc x_desc{dtype_of<T>(), shape_of(c)};
    const TensorDesc scale_desc{DType::kFloat32, {scales_of(c)}};
    const TensorDesc zero_desc{dtype_of<T>(), {scales_of(c)}};
    const TensorDesc y_desc{DType::kFloat32, shape_of(c)};
    std::vector<float> expected(x.size());
    std::vector<ConstTensorView> inputs{{&x_desc, bytes(x)}, {&scale_desc, bytes(scale)}};
    if (has_zero_point) inputs.push_back({&zero_desc, bytes(zero)});
    const TensorView output{&y_desc, reinterpret_cast<std::byte*>(expected.data())};
    DequantizeLinear{.axis = 1, .zero_point = has_zero_point}.evaluate(inputs, {&output, 1});
    const test::DeviceArray<T> x_on(x);
    const test::DeviceArray<float> scale_on(scale);
    const test::DeviceArray<T> zero_on(zero);
    const test::DeviceArray<float> y_on(x.size());
    QuantizationGrid grid = grid_for<T>(c);
    grid.scale = scale_on.data();
    grid.zero_point = has_zero_point ? zero_on.data() : nullptr;

    ASSERT_EQ(
        dequantize(x_on.data(), y_on.data(), grid, static_cast<std::int64_t>(x.size()), stream()),
        cudaSuccess);

    EXPECT_EQ(y_on.download(stream()), expected);
  }
};

TEST_P(QuantizeTest, EqualsTheReference) {
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "case " << i);
    compare_quantized<std::int8_t>(kCases[i]);
    compare_quantized<std::uint8_t>(kCases[i]);
  }
}

TEST_P(QuantizeTest, ComesBackAsTheReferenceDoes) {
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    for (const bool has_zero_point : {false, true}) {
      SCOPED_TRACE(testing::Message() << "case " << i << ", zero point " << has_zero_point);
      compare_dequantized<std::int8_t>(kCases[i], has_zero_point);
      compare_dequantized<std::uint8_t>(kCases[i], has_zero_point);
      compare_dequantized<std::int32_t>(kCases[i], has_zero_point);
    }
  }
}

TEST_P(QuantizeTest, RoundsTheProductOfAWideIntegerOnce) {
  // 0xb8aaaaaa * 0xfffffd is 0xb8aaa880000002: just above half way between two floats, and a double
  // has no room for what is above.
  const std::int32_t x = std::numeric_limits<std::int32_t>::max();
  const std::int32_t zero = -0x38aa'aaab;
  const float scale = 0xfffffdp-23F;
  const test::DeviceArray<std::int32_t> x_on(std::vector<std::int32_t>(1, x));
  const test::DeviceArray<std::int32_t> zero_on(std::vector<std::int32_t>(1, zero));
  const test::DeviceArray<float> scale_on(std::vector<float>(1, scale));
  const test::DeviceArray<float> y_on(1);

  ASSERT_EQ(
      dequantize(
          x_on.data(),
          y_on.data(),
          {.type = IntegerType::kInt32, .scale = scale_on.data(), .zero_point = zero_on.data()},
          1,
          stream()),
      cudaSuccess);

  EXPECT_EQ(y_on.download(stream()).at(0), 0xb8aaa9p9F);
}

TEST_P(QuantizeTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(32);
  const float* x = memory.data();
  float* y = memory.data() + 16;
  const QuantizationGrid good{.scale = x, .zero_point = x};
  for (const auto& break_it : std::vector<void (*)(QuantizationGrid&)>{
           [](QuantizationGrid& g) { g.channels = 0; },
           [](QuantizationGrid& g) { g.channels = std::int64_t{1} << 31; },
           [](QuantizationGrid& g) { g.inner = 0; },
           [](QuantizationGrid& g) { g.inner = std::int64_t{1} << 31; }}) {
    QuantizationGrid bad = good;
    break_it(bad);
    EXPECT_EQ(quantize(x, y, bad, 4, stream()), cudaErrorInvalidValue);
    EXPECT_EQ(dequantize(x, y, bad, 4, stream()), cudaErrorInvalidValue);
  }
  QuantizationGrid wide = good;
  wide.type = IntegerType::kInt32;
  EXPECT_EQ(quantize(x, y, wide, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(quantize(x, y, good, -1, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(dequantize(x, y, good, std::int64_t{1} << 31, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(quantize(x, y, good, 0, stream()), cudaSuccess);
  EXPECT_EQ(dequantize(x, y, good, 0, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(QuantizeTest);

}  // namespace
}  // namespace fovea::kernels
