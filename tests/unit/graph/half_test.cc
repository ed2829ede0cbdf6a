// The rule that operators on f16 and bf16 have in common.
#include "engine/graph/half.h"

#include <cmath>

#include "engine/graph/graph.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::f32;
using test::floats;
using test::run;
using test::Tensor;

TensorDesc bf16(Shape shape) {
  return {DType::kBFloat16, std::move(shape)};
}

TensorDesc f16(Shape shape) {
  return {DType::kFloat16, std::move(shape)};
}

Tensor cast(const Tensor& x, DType to) {
  return run(Cast{to}, {x})[0];
}

Tensor evaluated(const Op& op, const std::vector<Tensor>& inputs) {
  std::vector<TensorDesc> descs;
  std::vector<ConstTensorView> views;
  for (const Tensor& input : inputs) descs.push_back(input.desc);
  for (const Tensor& input : inputs) views.push_back({&input.desc, input.bytes.data()});
  const TensorDesc desc = infer(op, descs).at(0);
  Tensor output{desc, std::vector<std::byte>(byte_size(desc), std::byte{0xA5})};
  const TensorView view{&output.desc, output.bytes.data()};
  evaluate(op, views, {&view, 1});
  return output;
}

/// Values whose sums and products are no bf16, and most of which are none themselves.
Tensor values(Shape shape, unsigned seed) {
  Tensor x = test::whole_numbers(std::move(shape), seed);
  std::vector<float> fractions = x.floats();
  for (float& value : fractions) value = value * 0.37F + 1.7F;
  return floats(x.desc.shape, fractions);
}

struct Case {
  Op op;
  std::vector<Shape> inputs;
};

/// Every operator that computes, with all the kinds of inputs that it has.
std::vector<Case> cases() {
  const Shape picture{2, 3, 5, 4};
  return {
      {Conv2d{.pads = {1, 1, 1, 1},
              .bias = true,
              .residual = true,
              .activation = {.kind = ActivationKind::kRelu}},
       {picture, {4, 3, 3, 4}, {4}, picture}},
      {Dense{.bias = true}, {{2, 7}, {5, 7}, {5}}},
      {BatchNorm{}, {picture, {4}, {4}, {4}, {4}}},
      {Lrn{}, {picture}},
      {Relu{}, {picture}},
      {Clip{0.5F, 2.0F}, {picture}},
      {Tanh{}, {picture}},
      {Sigmoid{}, {picture}},
      {Softmax{}, {{2, 9}}},
      {MaxPool{.kernel = {2, 2}}, {picture}},
      {AveragePool{.kernel = {2, 2}}, {picture}},
      {GlobalPool{.kind = PoolKind::kAverage}, {picture}},
      {Add{}, {picture, picture}},
      {Add{}, {picture, {4}}},
      {Mul{}, {picture, picture}},
      {Mul{}, {picture, {1}}},
      {Pad{.pads = {1, 0, 0, 2}, .value = 0.3F}, {picture}},
      {Rescale{0.7, 0.1}, {picture}},
  };
}

TEST(HalfTypes, OperatorsComputeInFloatAndRoundOnce) {
  for (const DType half : {DType::kBFloat16, DType::kFloat16}) {
    for (const Case& c : cases()) {
      ASSERT_TRUE(takes_half(c.op));
      std::vector<Tensor> inputs;
      std::vector<Tensor> widened;
      std::vector<TensorDesc> descs;
      for (const Shape& shape : c.inputs) {
        descs.push_back(f32(shape));
        Tensor x = values(shape, static_cast<unsigned>(descs.size()));
        if (!is_parameter(c.op, descs, descs.size() - 1) || c.inputs.size() == descs.size()) {
          x = cast(x, half);  // the last parameter too: parameters may be of the same type
        }
        widened.push_back(cast(x, DType::kFloat32));
        inputs.push_back(std::move(x));
      }

      const Tensor got = evaluated(c.op, inputs);

      EXPECT_EQ(got.desc.dtype, half) << op_name(c.op);
      EXPECT_EQ(got.bytes, cast(evaluated(c.op, widened), half).bytes) << op_name(c.op);
    }
  }
}

TEST(HalfTypes, MovingOperatorsKeepTheType) {
  const TensorDesc x = bf16({kBatch, 2, 2, 3});

  EXPECT_EQ(infer(Concat{3}, std::vector{x, x}).at(0), bf16({kBatch, 2, 2, 6}));
  EXPECT_EQ(infer(Reshape{{kBatch, 12}}, std::vector{x}).at(0), bf16({kBatch, 12}));
  EXPECT_EQ(infer(Transpose{{0, 3, 1, 2}}, std::vector{x}).at(0), bf16({kBatch, 3, 2, 2}));
}

void expect_infer_refuses(const Op& op, const std::vector<TensorDesc>& inputs, const char* part) {
  try {
    (void)infer(op, inputs);
    ADD_FAILURE() << op_name(op) << " accepts what it should refuse: " << part;
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

TEST(HalfTypes, ActivationsOfANodeHaveOneType) {
  const Shape shape{kBatch, 4, 4, 3};
  const TensorDesc w = f32({3, 1, 1, 3});
  const Op conv = Conv2d{.residual = true};

  EXPECT_EQ(infer(conv, std::vector{bf16(shape), w, bf16(shape)}).at(0), bf16(shape));
  expect_infer_refuses(conv, {bf16(shape), w, f32(shape)}, "activations must have one type");
  expect_infer_refuses(conv, {f32(shape), w, bf16(shape)}, "must be f32[N,4,4,3]");
  expect_infer_refuses(Add{}, {bf16(shape), f32(shape)}, "input 1 is f32[N,4,4,3] and input 0");
  expect_infer_refuses(Concat{3}, {bf16(shape), f32(shape)}, "input 1 is f32[N,4,4,3]");
}

TEST(HalfTypes, ParametersAreFloatsOrOfTheSameType) {
  const TensorDesc x = bf16({kBatch, 6});

  for (const TensorDesc& w : {f32({2, 6}), bf16({2, 6})}) {
    EXPECT_EQ(infer(Dense{}, std::vector{x, w}).at(0), bf16({kBatch, 2}));
  }
  expect_infer_refuses(Dense{}, {x, f16({2, 6})}, "a parameter must be of that type or f32");
  expect_infer_refuses(Dense{}, {f32({kBatch, 6}), bf16({2, 6})}, "must be of type f32");
  expect_infer_refuses(Dense{}, {x, f32({2, 7})}, "the weight is f32[2,7]");
}

TEST(HalfTypes, OthersStayFloat) {
  const TensorDesc x = bf16({kBatch, 6});

  expect_infer_refuses(TopK{2}, {x}, "must be of type f32");
  expect_infer_refuses(QuantizeLinear{}, {x, f32({}), {DType::kUInt8, {}}}, "f32");
}

}  // namespace
}  // namespace fovea
