#include "engine/graph/ops/separable_conv2d.h"

#include "engine/graph/op.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::f32;
using test::floats;
using test::run;
using test::Tensor;

/// Two channels of one row: the first is summed over three columns, the second is shifted.
const Tensor kX = floats({1, 1, 3, 2}, {1, 10, 2, 20, 3, 30});
const Tensor kTaps = floats({2, 1, 3, 1}, {1, 1, 1, 0, 0, 1});
const Conv2d kRow{.pads = {0, 1, 0, 1}, .groups = 2};

TEST(SeparableConv2d, IsThePointwiseOfTheDepthwise) {
  const SeparableConv2d op{.depthwise = kRow, .pointwise = {.bias = true}};

  const auto y = run(op, {kX, kTaps, floats({1, 1, 1, 2}, {1, 2}), floats({1}, {100})});

  // Between the parts: 3 20, 6 30, 5 0.
  EXPECT_EQ(y.at(0).desc, f32({1, 1, 3, 1}));
  EXPECT_EQ(y.at(0).floats(), (std::vector<float>{143, 166, 105}));
}

TEST(SeparableConv2d, EveryPartHasWhatItCarries) {
  SeparableConv2d op{.depthwise = kRow, .pointwise = {.residual = true}};
  op.depthwise.bias = true;
  op.depthwise.activation = {.kind = ActivationKind::kClip, .lo = 0, .hi = 5};
  op.pointwise.activation = {.kind = ActivationKind::kRelu};

  const auto y = run(op,
                     {kX,
                      kTaps,
                      floats({2}, {0, -18}),
                      floats({1, 1, 1, 2}, {1, 2}),
                      floats({1, 1, 3, 1}, {0, -20, 1})});

  // Between: 3 2, 5 5, 5 0.
  EXPECT_EQ(y.at(0).floats(), (std::vector<float>{7, 0, 6}));
}

TEST(SeparableConv2d, OfHalvesRoundsWhatLiesBetween) {
  // 1 + 2^-8 rounds to 1 in bfloat16, so that nothing is left of it.
  const Tensor x = run(Cast{DType::kBFloat16}, {floats({1, 1, 1, 2}, {1, 1})}).at(0);
  const SeparableConv2d op{.depthwise = {.groups = 2, .bias = true}, .pointwise = {.bias = true}};
  const std::vector<Tensor> inputs{x,
                                   floats({2, 1, 1, 1}, {1, 0}),
                                   floats({2}, {0x1p-8F, 0}),
                                   floats({1, 1, 1, 2}, {1, 1}),
                                   floats({1}, {-1})};

  const auto y = run(op, inputs);

  EXPECT_EQ(y.at(0).desc.dtype, DType::kBFloat16);
  EXPECT_EQ(run(Cast{DType::kFloat32}, {y.at(0)}).at(0).floats(), std::vector<float>{0});
}

TEST(SeparableConv2d, HasASymbolicBatch) {
  const SeparableConv2d op{.depthwise = kRow, .pointwise = {}};

  const auto y = op.infer(std::vector{f32({kBatch, 1, 3, 2}), kTaps.desc, f32({5, 1, 1, 2})});

  EXPECT_EQ(y.at(0), f32({kBatch, 1, 3, 5}));
}

TEST(SeparableConv2d, RefusesWhatIsNoSuchPair) {
  const TensorDesc filters = f32({5, 1, 1, 2});
  const auto infer = [&](const SeparableConv2d& op, const TensorDesc& taps, const TensorDesc& w) {
    return op.infer(std::vector{kX.desc, taps, w});
  };
  const SeparableConv2d good{.depthwise = kRow, .pointwise = {}};
  EXPECT_NO_THROW((void)infer(good, kTaps.desc, filters));

  SeparableConv2d op = good;
  EXPECT_THROW((void)infer(op, f32({4, 1, 3, 1}), f32({5, 1, 1, 4})), InvalidArgument);
  EXPECT_THROW((void)infer(op, kTaps.desc, f32({5, 1, 3, 2})), InvalidArgument);
  EXPECT_THROW((void)infer(op, kTaps.desc, f32({5, 1, 1, 3})), InvalidArgument);
  EXPECT_THROW((void)op.infer(std::vector{kX.desc, kTaps.desc}), InvalidArgument);
  op.depthwise.groups = 1;
  EXPECT_THROW((void)infer(op, f32({2, 1, 3, 2}), filters), InvalidArgument);
  op = good;
  op.depthwise.residual = true;
  EXPECT_THROW((void)op.infer(std::vector{kX.desc, kTaps.desc, kX.desc, filters}), InvalidArgument);
  op = good;
  op.pointwise.strides = {1, 2};
  EXPECT_THROW((void)infer(op, kTaps.desc, filters), InvalidArgument);
  op = good;
  op.pointwise.pads = {0, 0, 1, 0};
  EXPECT_THROW((void)infer(op, kTaps.desc, filters), InvalidArgument);
  op = good;
  op.pointwise.groups = 2;
  EXPECT_THROW((void)infer(op, kTaps.desc, f32({4, 1, 1, 1})), InvalidArgument);
  op = good;
  op.pointwise.input_activation = ActivationKind::kRelu;
  EXPECT_THROW((void)infer(op, kTaps.desc, filters), InvalidArgument);
}

}  // namespace
}  // namespace fovea
