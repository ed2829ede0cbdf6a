// Add, Mul, BatchNorm and Rescale.
#include <cmath>
#include <limits>

#include "engine/graph/ops/batch_norm.h"
#include "engine/graph/ops/elementwise.h"
#include "engine/graph/ops/rescale.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run_floats;
using test::Tensor;
using test::unknown;

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Add, TakesEveryFormOfTheSecondInput) {
  const Tensor a = floats({2, 3}, {1, 2, 3, 4, 5, 6});

  EXPECT_EQ(run_floats(Add{}, {a, floats({2, 3}, {10, 20, 30, 40, 50, 60})}),
            (std::vector<float>{11, 22, 33, 44, 55, 66}));
  EXPECT_EQ(run_floats(Add{}, {a, floats({3}, {10, 20, 30})}),
            (std::vector<float>{11, 22, 33, 14, 25, 36}));
  EXPECT_EQ(run_floats(Add{}, {a, floats({1}, {10})}),
            (std::vector<float>{11, 12, 13, 14, 15, 16}));
  EXPECT_EQ(run_floats(Add{}, {floats({}, {1}), floats({1}, {2})}), (std::vector<float>{3}));
}

TEST(Add, AppliesTheActivationToTheSum) {
  const Add add{.activation = {.kind = ActivationKind::kClip, .lo = 0.0F, .hi = 6.0F}};

  EXPECT_EQ(run_floats(add, {floats({3}, {-9, 2, 5}), floats({3}, {10, -3, 4})}),
            (std::vector<float>{1, 0, 6}));
}

TEST(Mul, TakesEveryFormOfTheSecondInput) {
  const Tensor a = floats({1, 2, 2}, {1, 2, 3, 4});

  EXPECT_EQ(run_floats(Mul{}, {a, floats({1, 2, 2}, {5, 6, 7, 8})}),
            (std::vector<float>{5, 12, 21, 32}));
  EXPECT_EQ(run_floats(Mul{}, {a, floats({2}, {10, 100})}), (std::vector<float>{10, 200, 30, 400}));
  EXPECT_EQ(run_floats(Mul{}, {a, floats({1}, {-2})}), (std::vector<float>{-2, -4, -6, -8}));
}

TEST(AddAndMul, HaveTheShapeOfTheFirstInput) {
  const TensorDesc a = f32({kBatch, 7, 7, 64});
  for (const TensorDesc& b : {a, f32({64}), f32({1})}) {
    EXPECT_EQ(infer(Add{}, {a, b}), std::vector<TensorDesc>{a});
    EXPECT_EQ(infer(Mul{}, {a, b}), std::vector<TensorDesc>{a});
  }
}

TEST(AddAndMul, RefuseInputsThatDoNotMatch) {
  const TensorDesc a = f32({kBatch, 7, 7, 64});
  expect_refused(Add{}, {a}, {"1 inputs", "takes 2"});
  expect_refused(Add{}, {a, {DType::kFloat16, a.shape}}, {"f16[N,7,7,64]", "f32"});
  expect_refused(Mul{}, {{DType::kInt32, {4}}, {DType::kInt32, {4}}}, {"i32[4]", "f32"});
  expect_refused(Add{}, {a, f32({7})}, {"f32[N,7,7,64]", "f32[7]"});
  expect_refused(Mul{}, {a, f32({1, 7, 7, 64})}, {"f32[N,7,7,64]", "f32[1,7,7,64]"});
  expect_refused(Mul{}, {a, f32({})}, {"f32[N,7,7,64]", "f32[]"});
  expect_refused(Add{}, {f32({64}), a}, {"f32[64]", "f32[N,7,7,64]"});
  // A batch that happens to be last is not a channel count.
  expect_refused(Add{}, {f32({4, 3}), f32({kBatch})}, {"f32[4,3]", "f32[N]"});
  expect_refused(Add{.activation = {.kind = unknown<ActivationKind>(200)}}, {a, a}, {"200"});
}

TEST(BatchNorm, NormalisesEveryChannel) {
  const Tensor x = floats({2, 1, 1, 2}, {3, 10, 5, -2});
  const Tensor gamma = floats({2}, {2, 0.5F});
  const Tensor beta = floats({2}, {1, -1});
  const Tensor mean = floats({2}, {1, 2});
  const Tensor variance = floats({2}, {3, 15});

  // Standard deviations with epsilon 1: 2 and 4.
  EXPECT_EQ(run_floats(BatchNorm{.epsilon = 1.0}, {x, gamma, beta, mean, variance}),
            (std::vector<float>{3, 0, 5, -1.5F}));
}

TEST(BatchNorm, IsRoundedOnce) {
  const Tensor x = floats({1, 3}, {0.1F, -7.3F, 1e6F});
  const Tensor gamma = floats({3}, {1.7F, 0.003F, -2.9F});
  const Tensor beta = floats({3}, {0.7F, -0.3F, 11.1F});
  const Tensor mean = floats({3}, {0.33F, -7.1F, 999000.0F});
  const Tensor variance = floats({3}, {0.017F, 1e-9F, 1e4F});

  const std::vector<float> y = run_floats(BatchNorm{}, {x, gamma, beta, mean, variance});

  for (std::size_t c = 0; c < 3; ++c) {
    const double deviation = std::sqrt(static_cast<double>(variance.floats()[c]) + 1e-3);
    const double centred = static_cast<double>(x.floats()[c]) - mean.floats()[c];
    EXPECT_EQ(y[c], static_cast<float>(centred / deviation * gamma.floats()[c] + beta.floats()[c]));
  }
}

TEST(BatchNorm, PassesTheSymbolicBatchThrough) {
  const TensorDesc c = f32({64});
  for (const TensorDesc& x : {f32({kBatch, 7, 7, 64}), f32({kBatch, 64}), f32({64})}) {
    EXPECT_EQ(infer(BatchNorm{}, {x, c, c, c, c}), std::vector<TensorDesc>{x});
  }
}

TEST(BatchNorm, RefusesInputsThatDoNotMatch) {
  const TensorDesc x = f32({kBatch, 7, 7, 64});
  const TensorDesc c = f32({64});
  const TensorDesc bad = f32({63});
  expect_refused(BatchNorm{}, {x, c, c, c}, {"4 inputs", "takes 5"});
  expect_refused(BatchNorm{}, {x, bad, c, c, c}, {"gamma", "f32[63]", "f32[64]"});
  expect_refused(BatchNorm{}, {x, c, bad, c, c}, {"beta", "f32[63]", "f32[64]"});
  expect_refused(BatchNorm{}, {x, c, c, bad, c}, {"mean", "f32[63]", "f32[64]"});
  expect_refused(BatchNorm{}, {x, c, c, c, bad}, {"variance", "f32[63]", "f32[64]"});
  expect_refused(BatchNorm{}, {f32({}), c, c, c, c}, {"f32[]", "dimension"});
  const TensorDesc batch = f32({kBatch});
  expect_refused(BatchNorm{}, {batch, batch, batch, batch, batch}, {"f32[N]", "batch"});
  expect_refused(BatchNorm{.epsilon = -1e-3}, {x, c, c, c, c}, {"epsilon", "-0.001"});
  expect_refused(BatchNorm{.epsilon = kInf}, {x, c, c, c, c}, {"epsilon", "inf"});
}

TEST(Rescale, MultipliesAndAdds) {
  const Rescale rescale{.scale = 1.0 / 127.5, .offset = -1.0};

  EXPECT_EQ(run_floats(rescale, {floats({3}, {0, 127.5F, 255})}), (std::vector<float>{-1, 0, 1}));
}

TEST(Rescale, WorksInDouble) {
  // 1/255 has no exact float32: (float)(51 * (1.0 / 255)) is 0.2F, in float32 it is not.
  EXPECT_EQ(run_floats(Rescale{.scale = 1.0 / 255}, {floats({1}, {51})}),
            (std::vector<float>{0.2F}));
}

TEST(Rescale, RefusesWhatIsNotFinite) {
  const TensorDesc x = f32({kBatch, 2});
  EXPECT_EQ(infer(Rescale{}, {x}), std::vector<TensorDesc>{x});
  expect_refused(Rescale{.scale = kInf}, {x}, {"scale", "inf"});
  expect_refused(Rescale{.offset = std::nan("")}, {x}, {"offset", "nan"});
  expect_refused(Rescale{}, {{DType::kUInt8, {2}}}, {"u8[2]", "f32"});
  expect_refused(Rescale{}, {}, {"0 inputs", "takes 1"});
}

}  // namespace
}  // namespace fovea
