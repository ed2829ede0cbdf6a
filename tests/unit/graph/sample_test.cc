// Samples of a result are what evaluate() gives there.
#include "engine/graph/sample.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/graph/half.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::floats;
using test::run;
using test::Tensor;

/// Values between -1.5 and 1.5 that are no whole numbers.
Tensor values(Shape shape, unsigned seed) {
  Tensor x = test::whole_numbers(std::move(shape), seed);
  std::vector<float> fractions = x.floats();
  for (float& value : fractions) value *= 0.37F;
  return floats(x.desc.shape, fractions);
}

struct Case {
  Op op;
  std::vector<Tensor> inputs;
};

/// With every attribute that a sample depends on.
std::vector<Case> cases() {
  const Activation clip{.kind = ActivationKind::kClip, .lo = -1.0F, .hi = 1.0F};
  return {
      {Conv2d{.strides = {2, 1},
              .dilations = {1, 2},
              .pads = {1, 2, 0, 3},
              .groups = 2,
              .bias = true,
              .residual = true,
              .activation = clip},
       {values({3, 5, 6, 4}, 1), values({6, 2, 3, 2}, 2), values({6}, 3), values({3, 3, 7, 6}, 4)}},
      {Conv2d{}, {values({1, 4, 4, 3}, 5), values({2, 1, 1, 3}, 6)}},
      {Conv2d{.residual = true},
       {values({1, 4, 4, 3}, 5), values({2, 1, 1, 3}, 6), values({1, 4, 4, 2}, 7)}},
      {Conv2d{.pads = {1, 0, 0, 1}, .input_activation = ActivationKind::kRelu},
       {values({1, 4, 4, 3}, 5), values({2, 1, 1, 3}, 6)}},
      {Conv2d{.activation = {.kind = ActivationKind::kRelu}, .activation_channels = 1},
       {values({1, 4, 4, 3}, 5), values({2, 1, 1, 3}, 6)}},
      {SeparableConv2d{.depthwise = {.strides = {1, 2},
                                     .pads = {1, 0, 0, 2},
                                     .groups = 3,
                                     .bias = true,
                                     .input_activation = ActivationKind::kRelu},
                       .pointwise = {.bias = true, .residual = true, .activation = clip}},
       {values({3, 4, 4, 3}, 26),
        values({3, 2, 2, 1}, 27),
        values({3}, 28),
        values({2, 1, 1, 3}, 29),
        values({2}, 30),
        values({3, 4, 3, 2}, 31)}},
      {SeparableConv2d{.depthwise = {.groups = 3}, .pointwise = {}},
       {values({1, 4, 4, 3}, 5), values({3, 1, 1, 1}, 32), values({2, 1, 1, 3}, 6)}},
      {AveragePool{.kernel = {2, 2}, .activation = clip}, {values({3, 4, 4, 3}, 21)}},
      {TopK{.k = 2, .softmax = true}, {values({4, 7}, 22)}},
      {Dense{.bias = true, .activation = {.kind = ActivationKind::kRelu}},
       {values({4, 9}, 8), values({5, 9}, 9), values({5}, 10)}},
      {Dense{}, {values({4, 9}, 8), values({5, 9}, 9)}},
      {MaxPool{.kernel = {3, 3}, .strides = {2, 2}}, {values({5, 7, 7, 3}, 11)}},
      {Add{}, {values({5, 2, 2, 3}, 12), values({5, 2, 2, 3}, 13)}},
      {Softmax{}, {values({5, 7}, 14)}},
      {Softmax{}, {values({6}, 23)}},
      {Add{}, {values({6, 6}, 24), values({6}, 25)}},
      {Reshape{{6, 10}}, {values({6, 2, 5}, 15)}},
      {Transpose{{1, 0}}, {values({6, 6}, 16)}},
      {Concat{1}, {values({4, 3}, 17), values({4, 3}, 18)}},
      {Rescale{}, {values({}, 19)}},
      {TopK{3}, {values({6, 9}, 20)}}};
}

std::vector<ElementSample> samples_of(const Op& op,
                                      const std::vector<Tensor>& inputs,
                                      const std::vector<Tensor>& outputs,
                                      std::size_t count) {
  std::vector<ConstTensorView> views;
  std::vector<TensorDesc> descs;
  for (const Tensor& input : inputs) views.push_back({&input.desc, input.bytes.data()});
  for (const Tensor& output : outputs) descs.push_back(output.desc);
  return sample_outputs(op, views, descs, count);
}

/// The elements as float32.
std::vector<float> as_floats(const Tensor& tensor) {
  return run(Cast{DType::kFloat32}, {tensor})[0].floats();
}

std::vector<Tensor> run_any(const Op& op, const std::vector<Tensor>& inputs) {
  std::vector<TensorDesc> descs;
  std::vector<ConstTensorView> views;
  for (const Tensor& input : inputs) descs.push_back(input.desc);
  for (const Tensor& input : inputs) views.push_back({&input.desc, input.bytes.data()});
  std::vector<Tensor> outputs;
  for (const TensorDesc& desc : infer(op, descs)) {
    outputs.push_back({desc, std::vector<std::byte>(byte_size(desc))});
  }
  std::vector<TensorView> results;
  for (Tensor& output : outputs) results.push_back({&output.desc, output.bytes.data()});
  evaluate(op, views, results);
  return outputs;
}

TEST(Sample, EqualsTheWholeResult) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(op_name(c.op));
    const std::vector<Tensor> outputs = run_any(c.op, c.inputs);

    const std::vector<ElementSample> samples = samples_of(c.op, c.inputs, outputs, 100);

    ASSERT_FALSE(samples.empty());
    for (const ElementSample& sample : samples) {
      const std::vector<float> whole = as_floats(outputs.at(sample.output));
      // The values are multiples of 0.37 squared and below 100: float32 rounds them by 4e-6.
      EXPECT_NEAR(whole.at(static_cast<std::size_t>(sample.element)), sample.value, 4e-6);
    }
  }
}

TEST(Sample, TakesBothEndsOfEveryOutputAndNoMoreThanAsked) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(op_name(c.op));
    const std::vector<Tensor> outputs = run_any(c.op, c.inputs);

    const std::vector<ElementSample> samples = samples_of(c.op, c.inputs, outputs, 10);

    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto has = [&](std::int64_t element) {
        return std::ranges::any_of(
            samples, [&](const auto& s) { return s.output == i && s.element == element; });
      };
      EXPECT_TRUE(has(0));
      EXPECT_TRUE(has(num_elements(outputs[i].desc.shape) - 1));
    }
    EXPECT_LE(samples.size(), 10 * outputs.size());
  }
}

TEST(Sample, OfHalvesIsThatOfTheirValues) {
  for (const DType half : {DType::kBFloat16, DType::kFloat16}) {
    for (const Case& c : cases()) {
      if (!takes_half(c.op) || op_name(c.op) == "Rescale") continue;
      SCOPED_TRACE(op_name(c.op));
      std::vector<Tensor> halves;
      std::vector<Tensor> wide;
      for (const Tensor& input : c.inputs) halves.push_back(run(Cast{half}, {input})[0]);
      for (const Tensor& input : halves) wide.push_back(run(Cast{DType::kFloat32}, {input})[0]);
      const std::vector<Tensor> outputs = run_any(c.op, halves);

      const auto samples = samples_of(c.op, halves, outputs, 100);

      const auto expected = samples_of(c.op, wide, run_any(c.op, wide), 100);
      ASSERT_EQ(samples.size(), expected.size());
      for (std::size_t i = 0; i < samples.size(); ++i) {
        const double last_place = half == DType::kBFloat16 ? 0x1p-8 : 0x1p-11;
        EXPECT_NEAR(samples[i].value,
                    expected[i].value,
                    last_place * std::max(1.0, std::abs(expected[i].value)));
      }
    }
  }
}

TEST(Sample, ScaleIsTheSumOfAbsoluteTerms) {
  const Tensor x = floats({1, 1, 1, 2}, {3, -2});
  const Tensor w = floats({1, 1, 1, 2}, {1, 5});
  const Tensor bias = floats({1}, {-0.5F});
  const Conv2d conv{.bias = true, .activation = {.kind = ActivationKind::kRelu}};

  const auto samples = samples_of(conv, {x, w, bias}, run_any(conv, {x, w, bias}), 2);

  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].value, 0);
  EXPECT_EQ(samples[0].scale, 3 + 10 + 0.5);
}

}  // namespace
}  // namespace fovea
