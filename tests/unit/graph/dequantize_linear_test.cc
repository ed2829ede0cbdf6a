#include "engine/graph/ops/dequantize_linear.h"

#include <cmath>
#include <limits>

#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run_floats;
using test::Tensor;
using test::tensor;

Tensor i8(Shape shape, const std::vector<std::int8_t>& values) {
  return tensor(DType::kInt8, std::move(shape), values);
}

Tensor u8(Shape shape, const std::vector<std::uint8_t>& values) {
  return tensor(DType::kUInt8, std::move(shape), values);
}

Tensor i32(Shape shape, const std::vector<std::int32_t>& values) {
  return tensor(DType::kInt32, std::move(shape), values);
}

TEST(DequantizeLinear, TakesOneScale) {
  const Tensor x = i8({2, 2}, {-128, -1, 0, 127});

  for (const Shape& shape : {Shape{}, Shape{1}}) {
    EXPECT_EQ(run_floats(DequantizeLinear{}, {x, floats(shape, {0.5F})}),
              (std::vector<float>{-64, -0.5F, 0, 63.5F}));
    EXPECT_EQ(run_floats(DequantizeLinear{.axis = 7, .zero_point = true},
                         {x, floats(shape, {0.5F}), i8(shape, {-128})}),
              (std::vector<float>{0, 63.5F, 64, 127.5F}));
  }
}

TEST(DequantizeLinear, TakesAScaleForEveryIndexOfTheAxis) {
  const Tensor x = u8({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255});
  const Tensor scale = floats({3}, {1, 10, 100});

  EXPECT_EQ(run_floats(DequantizeLinear{.axis = 1}, {x, scale}),
            (std::vector<float>{1, 2, 30, 40, 500, 600, 7, 8, 90, 100, 1100, 25500}));
  EXPECT_EQ(
      run_floats(DequantizeLinear{.axis = 1, .zero_point = true}, {x, scale, u8({3}, {1, 4, 255})}),
      (std::vector<float>{0, 1, -10, 0, -25000, -24900, 6, 7, 50, 60, -24400, 0}));
}

TEST(DequantizeLinear, TakesTheFirstAndTheLastAxis) {
  const Tensor x = i8({2, 3}, {1, 2, 3, 4, 5, 6});

  EXPECT_EQ(run_floats(DequantizeLinear{.axis = 0}, {x, floats({2}, {1, 10})}),
            (std::vector<float>{1, 2, 3, 40, 50, 60}));
  EXPECT_EQ(run_floats(DequantizeLinear{.axis = 1}, {x, floats({3}, {1, 10, 100})}),
            (std::vector<float>{1, 20, 300, 4, 50, 600}));
}

TEST(DequantizeLinear, KeepsDifferencesThatNeed33Bits) {
  constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();

  EXPECT_EQ(run_floats(DequantizeLinear{.zero_point = true},
                       {i32({1}, {kMax}), floats({1}, {1.0F}), i32({1}, {kMin})}),
            (std::vector<float>{4294967295.0F}));
  EXPECT_EQ(run_floats(DequantizeLinear{}, {i32({2}, {kMin, kMax}), floats({}, {0.25F})}),
            (std::vector<float>{-536870912.0F, 536870912.0F}));
}

TEST(DequantizeLinear, RoundsTheProductOnce) {
  // Products next to the middle of two floats, nearer than a double can tell: rounded to double
  // first, each would become the tie and then the other neighbour.
  // 2146928457 * 8395513 = 18024565770813441, the middle of ...4697071616 and ...6844555264, plus 1
  const Tensor above = i32({2}, {2146928457, -2146928457});
  EXPECT_EQ(run_floats(DequantizeLinear{}, {above, floats({}, {8395513.0F})}),
            (std::vector<float>{18024566844555264.0F, -18024566844555264.0F}));
  // 2146825123 * 8398837 = 18030834275581951, a middle minus 1
  EXPECT_EQ(run_floats(DequantizeLinear{}, {i32({1}, {2146825123}), floats({}, {8398837.0F})}),
            (std::vector<float>{18030833201840128.0F}));
  // (2147483647 + 2146716776) * 8392535 = 36039227347042305
  EXPECT_EQ(
      run_floats(DequantizeLinear{.zero_point = true},
                 {i32({1}, {2147483647}), floats({1}, {8392535.0F}), i32({1}, {-2146716776})}),
      (std::vector<float>{36039229494525952.0F}));
}

TEST(DequantizeLinear, KeepsScalesThatAreNotFinite) {
  const Tensor x = i8({2}, {2, 0});
  const std::vector<float> y =
      run_floats(DequantizeLinear{}, {x, floats({}, {std::numeric_limits<float>::infinity()})});

  EXPECT_EQ(y[0], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(y[1]));
}

TEST(DequantizeLinear, PassesTheSymbolicBatchThrough) {
  const TensorDesc x{DType::kInt8, {kBatch, 7, 7, 64}};
  EXPECT_EQ(infer(DequantizeLinear{.axis = 3}, {x, f32({64})}),
            std::vector<TensorDesc>{f32({kBatch, 7, 7, 64})});
  EXPECT_EQ(infer(DequantizeLinear{}, {x, f32({})}),
            std::vector<TensorDesc>{f32({kBatch, 7, 7, 64})});
}

TEST(DequantizeLinear, RefusesInputsThatDoNotMatch) {
  const TensorDesc x{DType::kInt8, {kBatch, 5, 6}};
  expect_refused(DequantizeLinear{}, {x}, {"1 inputs", "takes 2"});
  expect_refused(DequantizeLinear{.zero_point = true}, {x, f32({})}, {"2 inputs", "takes 3"});
  expect_refused(DequantizeLinear{}, {f32({3}), f32({})}, {"f32[3]", "i8, u8 or i32"});
  expect_refused(DequantizeLinear{}, {{DType::kInt64, {3}}, f32({})}, {"i64[3]"});
  expect_refused(DequantizeLinear{}, {x, {DType::kFloat16, {}}}, {"f16[]", "f32"});
  expect_refused(
      DequantizeLinear{.axis = 1}, {x, f32({6})}, {"f32[6]", "i8[N,5,6]", "dimension 1"});
  expect_refused(DequantizeLinear{.axis = 1}, {x, f32({5, 1})}, {"f32[5,1]", "dimension 1"});
  expect_refused(DequantizeLinear{.axis = 3}, {x, f32({5})}, {"axis is 3", "i8[N,5,6]"});
  expect_refused(DequantizeLinear{.axis = -1}, {x, f32({6})}, {"axis is -1"});
  expect_refused(DequantizeLinear{.axis = 0}, {x, f32({kBatch})}, {"scale", "batch"});
  expect_refused(DequantizeLinear{.axis = 2, .zero_point = true},
                 {x, f32({6}), {DType::kUInt8, {6}}},
                 {"zero_point", "u8[6]", "i8[6]"});
  expect_refused(DequantizeLinear{.zero_point = true},
                 {x, f32({}), {DType::kInt8, {1}}},
                 {"zero_point", "i8[1]", "i8[]"});
}

}  // namespace
}  // namespace fovea
