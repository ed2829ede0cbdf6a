// Constants, normalisation, sums and products of ONNX: expected values are worked out here.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/import_worker/onnx_testing.h"

namespace fovea {
namespace {

using test::Floats;
using test::numbers;
using test::OnnxModel;
using test::run_onnx;

constexpr ErrorCode kCorrupt = ErrorCode::kModelCorrupt;
constexpr ErrorCode kUnsupported = ErrorCode::kModelUnsupportedOp;

void expect_refused(const OnnxModel& model, ErrorCode code, const std::string& part) {
  test::expect_error(code, part, [&] { (void)model.import(); });
}

onnx::TensorProto& set_tensor(onnx::NodeProto& node, int data_type, const Floats& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  onnx::TensorProto& tensor = *attribute.mutable_t();
  tensor.set_data_type(data_type);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

TEST(OnnxOperators, TakesConstantsFromNodes) {
  OnnxModel model({-1, 3});
  set_tensor(model.add_node("Constant", {}, "c"), 1, {1, 2, 3});
  model.add_node("Add", {"x", "c"}, "sum");
  test::set_float(model.add_node("Constant", {}, "ten"), "value_float", 10);
  model.add_node("Mul", {"ten", "sum"}, "product");
  test::set_ints(model.add_node("Constant", {}, "shape"), "value_ints", {-1, 3, 1});
  model.add_node("Reshape", {"product", "shape"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {5, 6, 7}), (Floats{60, 80, 100}));
}

TEST(OnnxOperators, TakesListsOfNumbersAsConstants) {
  OnnxModel model({-1, 2});
  onnx::NodeProto& list = model.add_node("Constant", {}, "c");
  onnx::AttributeProto& values = *list.add_attribute();
  values.set_name("value_floats");
  values.set_type(onnx::AttributeProto::FLOATS);
  values.add_floats(1.5F);
  values.add_floats(-2);
  model.add_node("Add", {"x", "c"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 1}), (Floats{2.5F, -1}));
}

TEST(OnnxOperators, RefusesConstantsWithoutAValue) {
  OnnxModel none({-1, 3});
  none.add_node("Constant", {}, "c");
  none.add_node("Add", {"x", "c"}, "y");
  none.add_output("y");
  expect_refused(none, kCorrupt, "Constant 'c' has no value");

  OnnxModel text({-1, 3});
  test::set_text(text.add_node("Constant", {}, "c"), "value_string", "three");
  text.add_node("Add", {"x", "c"}, "y");
  text.add_output("y");
  expect_refused(text, kUnsupported, "'value_string'");

  OnnxModel cut({-1, 3});
  set_tensor(cut.add_node("Constant", {}, "c"), 1, {1, 2, 3}).set_dims(0, 4);
  cut.add_node("Add", {"x", "c"}, "y");
  cut.add_output("y");
  expect_refused(cut, kCorrupt, "tensor 'c' is f32[4]");
}

TEST(OnnxOperators, RepeatsOneElement) {
  OnnxModel model({-1, 3});
  model.add_tensor("shape", 7, {1}, std::vector<std::int64_t>{3});
  set_tensor(model.add_node("ConstantOfShape", {"shape"}, "c"), 1, {2.5F});
  model.add_node("ConstantOfShape", {"shape"}, "zeros");
  model.add_node("Add", {"x", "c"}, "sum");
  model.add_node("Add", {"sum", "zeros"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2, 3}), (Floats{3.5F, 4.5F, 5.5F}));
}

TEST(OnnxOperators, RefusesToRepeatWithoutBounds) {
  const auto with = [](const std::vector<std::int64_t>& shape, const Floats& values) {
    OnnxModel model({-1, 3});
    model.add_tensor("shape", 7, {static_cast<std::int64_t>(shape.size())}, shape);
    set_tensor(model.add_node("ConstantOfShape", {"shape"}, "c"), 1, values);
    model.add_node("Add", {"x", "c"}, "y");
    model.add_output("y");
    return model;
  };

  expect_refused(with({4096, 1025}, {1}), ErrorCode::kModelLimit, "ConstantOfShape 'c' repeats");
  expect_refused(with({3}, {1, 2}), kCorrupt, "repeats f32[2] instead of one element");
  expect_refused(with({-3}, {1}), kCorrupt, "ConstantOfShape 'c'");
  expect_refused(with({std::int64_t{1} << 39, std::int64_t{1} << 39}, {1}), kCorrupt, "'c'");
}

TEST(OnnxOperators, PassesOnWhatInferenceDoesNotChange) {
  OnnxModel model({-1, 3}, 9);
  model.add_node("Identity", {"x"}, "a");
  onnx::NodeProto& dropout = model.add_node("Dropout", {"a"}, "b");
  test::set_float(dropout, "ratio", 0.5F);
  dropout.add_output("mask");
  model.add_node("Relu", {"b"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {-1, 0, 2}), (Floats{0, 0, 2}));

  model.add_output("mask");
  expect_refused(model, kUnsupported, "'mask' is used, which Dropout 'b' gives");
}

TEST(OnnxOperators, DropoutTakesItsRatioAsAnInputToo) {
  OnnxModel model({-1, 2});
  model.add_floats("ratio", {}, {0.25F});
  onnx::NodeProto& dropout = model.add_node("Dropout", {"x", "ratio"}, "y");
  model.add_output("y");
  EXPECT_EQ(run_onnx(model, {3, 4}), (Floats{3, 4}));

  model.add_tensor("training", 9, {}, std::vector<std::uint8_t>{1});
  dropout.add_input("training");
  expect_refused(model, kUnsupported, "'training_mode'; export the model for inference");
}

TEST(OnnxOperators, AConstantStaysOneBehindIdentity) {
  OnnxModel model({-1, 4});
  model.add_tensor("shape", 7, {3}, std::vector<std::int64_t>{0, 2, 2});
  model.add_node("Identity", {"shape"}, "same");
  model.add_node("Reshape", {"x", "same"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, numbers(4)), numbers(4));
}

TEST(OnnxOperators, NormalisesByStoredStatistics) {
  const Floats gamma{1, 2, 3};
  const Floats beta{0.5F, 0, -1};
  const Floats mean{1, -2, 0};
  const Floats variance{1, 4, 0.25F};
  for (const bool picture : {false, true}) {
    OnnxModel model(picture ? std::vector<std::int64_t>{-1, 3, 1, 2}
                            : std::vector<std::int64_t>{-1, 3});
    model.add_floats("gamma", {3}, gamma);
    model.add_floats("beta", {3}, beta);
    model.add_floats("mean", {3}, mean);
    model.add_floats("variance", {3}, variance);
    test::set_float(
        model.add_node("BatchNormalization", {"x", "gamma", "beta", "mean", "variance"}, "y"),
        "epsilon",
        0.5F);
    model.add_output("y");
    const std::size_t pixels = picture ? 2 : 1;
    const Floats x = numbers(3 * pixels);

    const Floats y = run_onnx(model, x);

    ASSERT_EQ(y.size(), x.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t c = i / pixels;
      const double want =
          (static_cast<double>(x[i]) - mean[c]) / std::sqrt(variance[c] + 0.5) * gamma[c] + beta[c];
      EXPECT_FLOAT_EQ(y[i], static_cast<float>(want)) << picture << ' ' << i;
    }
  }
}

TEST(OnnxOperators, RefusesNormalisationOfTraining) {
  const auto with = [](std::int64_t operator_set, const std::vector<std::int64_t>& dims) {
    OnnxModel model(dims, operator_set);
    model.add_floats("v", {3}, {1, 1, 1});
    model.add_node("BatchNormalization", {"x", "v", "v", "v", "v"}, "y");
    model.add_output("y");
    return model;
  };

  OnnxModel training = with(15, {-1, 3, 2, 2});
  test::set_int(*training.graph().mutable_node(0), "training_mode", 1);
  expect_refused(training, kUnsupported, "training mode; export the model for inference");

  OnnxModel statistics = with(9, {-1, 3, 2, 2});
  statistics.graph().mutable_node(0)->add_output("new_mean");
  statistics.add_output("new_mean");
  expect_refused(statistics, kUnsupported, "'new_mean' is used");

  OnnxModel spatial = with(8, {-1, 3, 2, 2});
  test::set_int(*spatial.graph().mutable_node(0), "spatial", 0);
  expect_refused(spatial, kUnsupported, "'spatial' = 0");

  expect_refused(with(15, {-1, 3, 2}), kUnsupported, "takes f32[N,3,2]");
  expect_refused(with(15, {-1, 4, 2, 2}), kCorrupt, "does not fit its inputs");
}

TEST(OnnxOperators, NormalisesLocalResponses) {
  for (const std::int64_t size : {3, 4}) {
    OnnxModel model({-1, 6, 1, 2});
    onnx::NodeProto& lrn = model.add_node("LRN", {"x"}, "y");
    test::set_int(lrn, "size", size);
    test::set_float(lrn, "alpha", 0.5F);
    test::set_float(lrn, "beta", 0.75F);
    test::set_float(lrn, "bias", 2);
    model.add_output("y");
    const Floats x = numbers(12);

    const Floats y = run_onnx(model, x);

    ASSERT_EQ(y.size(), x.size());
    for (std::int64_t c = 0; c < 6; ++c) {
      for (std::int64_t pixel = 0; pixel < 2; ++pixel) {
        double sum = 0;
        for (std::int64_t j = c - (size - 1) / 2; j <= c + size / 2; ++j) {
          if (j < 0 || j > 5) continue;
          sum += std::pow(static_cast<double>(x[static_cast<std::size_t>(2 * j + pixel)]), 2);
        }
        const auto i = static_cast<std::size_t>(2 * c + pixel);
        const double want = x[i] * std::pow(2.0 + 0.5 * sum / static_cast<double>(size), -0.75);
        EXPECT_FLOAT_EQ(y[i], static_cast<float>(want)) << size << ' ' << i;
      }
    }
  }

  OnnxModel none({-1, 6, 1, 2});
  none.add_node("LRN", {"x"}, "y");
  none.add_output("y");
  expect_refused(none, kCorrupt, "LRN 'y' does not fit its inputs: ");
}

TEST(OnnxOperators, ScalesChannels) {
  // Caffe's Scale as DenseNet has it: vectors become [C,1,1] first.
  OnnxModel model({-1, 2, 1, 2}, 9);
  model.add_floats("scale", {2}, {10, 100});
  model.add_floats("shift", {2}, {1, 2});
  test::set_ints(model.add_node("Unsqueeze", {"scale"}, "scales"), "axes", {1, 2});
  test::set_ints(model.add_node("Unsqueeze", {"shift"}, "shifts"), "axes", {1, 2});
  model.add_node("Mul", {"x", "scales"}, "scaled");
  model.add_node("Add", {"scaled", "shifts"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2, 3, 4}), (Floats{11, 21, 302, 402}));
}

TEST(OnnxOperators, MultipliesWhatIsComputed) {
  OnnxModel model({-1, 2, 1, 2});
  model.add_floats("w", {2, 2, 1, 1}, {0, 1, 1, 0});
  model.add_node("Conv", {"x", "w"}, "swapped");
  model.add_node("Mul", {"x", "swapped"}, "y");
  model.add_output("y");
  EXPECT_EQ(run_onnx(model, {1, 2, 3, 4}), (Floats{3, 8, 3, 8}));

  OnnxModel spread({-1, 2, 3, 3});
  spread.add_input("gate", {-1, 2, 1, 1});
  spread.add_node("Mul", {"x", "gate"}, "y");
  spread.add_output("y");
  expect_refused(spread, kUnsupported, "Mul 'y' spreads f32[N,2,3,3] and f32[N,2,1,1]");
}

TEST(OnnxOperators, SumsAnyNumber) {
  for (const int count : {1, 2, 3, 4}) {
    OnnxModel model({-1, 2, 1, 2});
    model.add_floats("w", {2, 2, 1, 1}, {0, 10, 100, 0});
    model.add_node("Conv", {"x", "w"}, "c");
    onnx::NodeProto& sum = model.add_node("Sum", {"x"}, "y");
    for (int i = 1; i < count; ++i) sum.add_input("c");
    model.add_output("y");
    const auto times = static_cast<float>(count - 1);

    EXPECT_EQ(run_onnx(model, {1, 2, 3, 4}),
              (Floats{1 + 30 * times, 2 + 40 * times, 3 + 100 * times, 4 + 200 * times}));
  }

  OnnxModel spread({-1, 2});
  spread.add_floats("c", {2}, {1, 2});
  spread.add_node("Sum", {"x", "x", "c"}, "y");
  spread.add_output("y");
  expect_refused(spread, kUnsupported, "Sum 'y' spreads f32[N,2] and f32[2]");

  OnnxModel none({-1, 2});
  none.add_node("Sum", {}, "y");
  none.add_output("y");
  expect_refused(none, kCorrupt, "Sum 'y' has 0 inputs");
}

TEST(OnnxOperators, MultipliesRowsByAMatrix) {
  OnnxModel model({-1, 2});
  model.add_floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  model.add_floats("b", {3}, {100, 200, 300});
  model.add_node("MatMul", {"x", "w"}, "product");
  model.add_node("Add", {"product", "b"}, "y");
  model.add_output("y");
  EXPECT_EQ(run_onnx(model, {1, 10}), (Floats{141, 252, 363}));

  OnnxModel stack({-1, 2, 2});
  stack.add_floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  stack.add_node("MatMul", {"x", "w"}, "y");
  stack.add_output("y");
  expect_refused(stack, kUnsupported, "MatMul 'y' multiplies f32[N,2,2] by f32[2,3]");

  OnnxModel computed({-1, 2});
  computed.add_node("MatMul", {"x", "x"}, "y");
  computed.add_output("y");
  expect_refused(computed, kUnsupported, "computes for every picture");
}

}  // namespace
}  // namespace fovea
