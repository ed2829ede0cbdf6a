#include "engine/graph/ops/activations.h"

#include <cmath>
#include <limits>

#include "engine/graph/ops/activation.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run_floats;
using test::Tensor;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Relu, CutsBelowZero) {
  const std::vector<float> y =
      run_floats(Relu{}, {floats({7}, {-kInf, -2.0F, -0.0F, 0.0F, 1e-40F, 3.5F, kInf})});

  EXPECT_EQ(y, (std::vector<float>{0.0F, 0.0F, 0.0F, 0.0F, 1e-40F, 3.5F, kInf}));
  EXPECT_FALSE(std::signbit(y[0]));
  EXPECT_FALSE(std::signbit(y[2]));
}

TEST(Clip, CutsOnBothSides) {
  const Tensor x = floats({2, 3}, {-kInf, -1.0F, -0.5F, 2.0F, 6.5F, kInf});

  EXPECT_EQ(run_floats(Clip{.lo = -1.0F, .hi = 6.0F}, {x}),
            (std::vector<float>{-1.0F, -1.0F, -0.5F, 2.0F, 6.0F, 6.0F}));
}

TEST(Clip, LeavesOneValueWhereBothBoundsAreEqual) {
  EXPECT_EQ(run_floats(Clip{.lo = 2.0F, .hi = 2.0F}, {floats({2}, {1.0F, 3.0F})}),
            (std::vector<float>{2.0F, 2.0F}));
}

TEST(Tanh, KnowsItsValues) {
  const std::vector<float> y = run_floats(Tanh{}, {floats({4}, {0.0F, 0.5F, -100.0F, kInf})});

  // tanh(0.5) = 0.46211715726000975...
  EXPECT_EQ(y, (std::vector<float>{0.0F, 0.46211715726000975F, -1.0F, 1.0F}));
}

TEST(Sigmoid, KnowsItsValues) {
  const std::vector<float> y =
      run_floats(Sigmoid{}, {floats({6}, {0.0F, 2.0F, -2.0F, -1000.0F, kInf, -kInf})});

  // 1 / (1 + exp(-2)) = 0.8807970779778823...
  EXPECT_EQ(y,
            (std::vector<float>{0.5F, 0.88079707797788F, 0.11920292202211755F, 0.0F, 1.0F, 0.0F}));
}

TEST(Activations, KeepNan) {
  const Tensor x = floats({1}, {kNan});
  EXPECT_TRUE(std::isnan(run_floats(Relu{}, {x})[0]));
  EXPECT_TRUE(std::isnan(run_floats(Clip{}, {x})[0]));
  EXPECT_TRUE(std::isnan(run_floats(Tanh{}, {x})[0]));
  EXPECT_TRUE(std::isnan(run_floats(Sigmoid{}, {x})[0]));
  EXPECT_TRUE(std::isnan(apply({}, kNan)));
}

TEST(Apply, IsTheNamedFunction) {
  EXPECT_EQ(apply({}, -7.25), -7.25);
  EXPECT_EQ(apply({.kind = ActivationKind::kRelu}, -7.25), 0.0);
  EXPECT_EQ(apply({.kind = ActivationKind::kClip, .lo = -3.0F, .hi = 4.0F}, -7.25), -3.0);
  EXPECT_EQ(apply({.kind = ActivationKind::kClip, .lo = -3.0F, .hi = 4.0F}, 7.25), 4.0);
  EXPECT_DOUBLE_EQ(apply({.kind = ActivationKind::kTanh}, 0.5), 0.46211715726000975);
  EXPECT_DOUBLE_EQ(apply({.kind = ActivationKind::kSigmoid}, 2.0), 0.8807970779778823);
}

TEST(Activations, PassEveryShapeThrough) {
  for (const TensorDesc& x : {f32({}), f32({kBatch}), f32({kBatch, 7, 7, 3}), f32({2, 1, 5})}) {
    EXPECT_EQ(infer(Relu{}, {x}), std::vector<TensorDesc>{x});
    EXPECT_EQ(infer(Clip{}, {x}), std::vector<TensorDesc>{x});
    EXPECT_EQ(infer(Tanh{}, {x}), std::vector<TensorDesc>{x});
    EXPECT_EQ(infer(Sigmoid{}, {x}), std::vector<TensorDesc>{x});
  }
}

TEST(Activations, RefuseOtherTypesAndCounts) {
  const TensorDesc half{DType::kFloat16, {3}};
  expect_refused(Relu{}, {half}, {"f16[3]", "f32"});
  expect_refused(Clip{}, {half}, {"f16[3]", "f32"});
  expect_refused(Tanh{}, {half}, {"f16[3]", "f32"});
  expect_refused(Sigmoid{}, {half}, {"f16[3]", "f32"});
  expect_refused(Relu{}, {}, {"0 inputs", "takes 1"});
  expect_refused(Sigmoid{}, {f32({3}), f32({3})}, {"2 inputs", "takes 1"});
}

TEST(Clip, RefusesBoundsThatLeaveNothing) {
  expect_refused(Clip{.lo = 1.0F, .hi = 0.5F}, {f32({3})}, {"1.0", "0.5"});
  expect_refused(Clip{.lo = kNan, .hi = 0.5F}, {f32({3})}, {"nan"});
  expect_refused(Clip{.lo = 0.0F, .hi = kNan}, {f32({3})}, {"nan"});
  EXPECT_NO_THROW((void)infer(Clip{.lo = -kInf, .hi = kInf}, {f32({3})}));
}

}  // namespace
}  // namespace fovea
