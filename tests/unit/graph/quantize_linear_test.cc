#include "engine/graph/ops/quantize_linear.h"

#include <cmath>
#include <limits>

#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run;
using test::Tensor;
using test::tensor;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor i8(Shape shape, const std::vector<std::int8_t>& values) {
  return tensor(DType::kInt8, std::move(shape), values);
}

Tensor u8(Shape shape, const std::vector<std::uint8_t>& values) {
  return tensor(DType::kUInt8, std::move(shape), values);
}

TEST(QuantizeLinear, RoundsHalvesToTheEvenNeighbour) {
  const Tensor x = floats({8}, {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49999997F, 2.0000002F});

  const auto y = run(QuantizeLinear{}, {x, floats({}, {1}), i8({}, {0})});

  EXPECT_EQ(y[0].values<std::int8_t>(), (std::vector<std::int8_t>{0, 2, 2, 0, -2, -2, 0, 2}));
}

TEST(QuantizeLinear, RoundsTheQuotientToFloatFirst) {
  // Just above the middle between two integers, a float32 quotient may be that middle itself.
  const float scale = 0.1F;
  int decided_by_float = 0;
  for (const float half : {0.5F, 2.5F, 4.5F, 6.5F, 8.5F}) {
    float x = half * scale;
    for (int i = 0; i < 4; ++i, x = std::nextafter(x, 1.0F)) {
      const double exact = static_cast<double>(x) / static_cast<double>(scale);
      const float quotient = x / scale;
      const auto y = run(QuantizeLinear{}, {floats({1}, {x}), floats({}, {scale}), i8({}, {0})});

      EXPECT_EQ(y[0].values<std::int8_t>()[0], static_cast<int>(std::nearbyint(quotient))) << x;
      if (std::nearbyint(exact) != std::nearbyint(quotient)) ++decided_by_float;
    }
  }
  EXPECT_GT(decided_by_float, 0) << "no example tells the two roundings apart";
}

TEST(QuantizeLinear, SaturatesAtTheEndsOfTheType) {
  const Tensor x = floats({7}, {-1e9F, -129, -128, 127, 128, kInfinity, -kInfinity});

  const auto y = run(QuantizeLinear{}, {x, floats({}, {1}), i8({}, {0})});
  const auto z = run(QuantizeLinear{}, {x, floats({}, {1}), u8({}, {128})});

  EXPECT_EQ(y[0].values<std::int8_t>(),
            (std::vector<std::int8_t>{-128, -128, -128, 127, 127, 127, -128}));
  EXPECT_EQ(z[0].values<std::uint8_t>(), (std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255, 0}));
}

TEST(QuantizeLinear, PutsNanAtTheZeroPoint) {
  const Tensor x = floats({1}, {std::numeric_limits<float>::quiet_NaN()});

  const auto y = run(QuantizeLinear{}, {x, floats({}, {1}), u8({}, {7})});

  EXPECT_EQ(y[0].values<std::uint8_t>(), (std::vector<std::uint8_t>{7}));
}

TEST(QuantizeLinear, TakesAScaleForEveryIndexOfTheAxis) {
  const Tensor x = floats({1, 2, 3}, {1, 2, 3, 4, 5, 6});

  const auto y =
      run(QuantizeLinear{.axis = 2}, {x, floats({3}, {1, 0.5F, 3}), u8({3}, {0, 1, 10})});
  const auto z = run(QuantizeLinear{.axis = 1}, {x, floats({2}, {1, 2}), u8({2}, {0, 100})});

  EXPECT_EQ(y[0].desc, (TensorDesc{DType::kUInt8, {1, 2, 3}}));
  EXPECT_EQ(y[0].values<std::uint8_t>(), (std::vector<std::uint8_t>{1, 5, 11, 4, 11, 12}));
  EXPECT_EQ(z[0].values<std::uint8_t>(), (std::vector<std::uint8_t>{1, 2, 3, 102, 102, 103}));
}

TEST(QuantizeLinear, KeepsTheBatchOpen) {
  EXPECT_EQ(infer(QuantizeLinear{}, {f32({kBatch, 3}), f32({}), {DType::kInt8, {}}}),
            (std::vector<TensorDesc>{{DType::kInt8, {kBatch, 3}}}));
}

TEST(QuantizeLinear, RefusesWhatDoesNotFit) {
  const TensorDesc zero{DType::kUInt8, {}};

  expect_refused(QuantizeLinear{}, {f32({2}), f32({})}, {"inputs"});
  expect_refused(QuantizeLinear{}, {{DType::kInt32, {2}}, f32({}), zero}, {"x", "f32"});
  expect_refused(QuantizeLinear{}, {f32({2}), {DType::kFloat16, {}}, zero}, {"scale", "f32"});
  expect_refused(QuantizeLinear{}, {f32({2}), f32({}), {DType::kInt32, {}}}, {"zero_point", "i8"});
  expect_refused(QuantizeLinear{}, {f32({2}), f32({}), {DType::kUInt8, {1}}}, {"zero_point"});
  expect_refused(QuantizeLinear{.axis = 1},
                 {f32({2, 3}), f32({2}), {DType::kUInt8, {2}}},
                 {"scale", "dimension 1"});
  expect_refused(
      QuantizeLinear{.axis = 2}, {f32({2, 3}), f32({3}), {DType::kUInt8, {3}}}, {"axis is 2"});
}

}  // namespace
}  // namespace fovea
