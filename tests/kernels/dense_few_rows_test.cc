#include "kernels/dense_few_rows.h"

#include <cmath>

#include "engine/graph/ops/activation.h"
#include "tests/kernels/convolution_case.h"

namespace fovea::kernels {
namespace {

struct Case {
  int rows;
  int inputs;
  int outputs;
};

class DenseFewRowsTest : public test::DeviceTest {
 protected:
  template <typename T>
  void expect_definition(const Case& c, ActivationKind kind, bool bias) {
    SCOPED_TRACE(testing::Message() << c.rows << " x " << c.inputs << " x " << c.outputs << ", "
                                    << sizeof(T) * 8 << " bits, unit " << test::kUnit<T>);
    // A dense layer is a convolution of one pixel per row.
    const test::ConvolutionCase as_convolution{
        .name = "dense",
        .args = {.n = c.rows,
                 .h = 1,
                 .w = 1,
                 .c = c.inputs,
                 .filters = c.outputs,
                 .activation = {.kind = kind, .lo = -0.5F, .hi = 2.0F}},
        .bias = bias};
    const test::ConvolutionOperands on = test::operands_of<T>(as_convolution);
    const auto expected = test::convolved(as_convolution, on, 23, 0x1p-24, test::kUnit<T>);
    const test::DeviceArray<T> x(test::to_elements<T>(on.x));
    const test::DeviceArray<T> w(test::to_elements<T>(on.weights));
    const test::DeviceArray<float> b(on.bias);
    const test::DeviceArray<T> y(expected.size());

    ASSERT_EQ(dense_few_rows({.type = test::kElementType<T>,
                              .x = x.data(),
                              .w = w.data(),
                              .bias = bias ? b.data() : nullptr,
                              .y = y.data(),
                              .rows = c.rows,
                              .inputs = c.inputs,
                              .outputs = c.outputs,
                              .activation = as_convolution.args.activation},
                             stream()),
              cudaSuccess);

    const std::vector<float> got = test::to_numbers(y.download(stream()));
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double error = std::abs(double{got[i]} - expected[i].value);
      ASSERT_TRUE(error <= expected[i].bound)
          << i << ": " << got[i] << " for " << expected[i].value;
    }
  }

  void expect_all(const Case& c, ActivationKind kind, bool bias) {
    expect_definition<float>(c, kind, bias);
    expect_definition<__half>(c, kind, bias);
    expect_definition<__nv_bfloat16>(c, kind, bias);
  }
};

TEST_P(DenseFewRowsTest, EqualsTheDefinition) {
  for (int rows = 1; rows <= kMostFewRows; ++rows) {
    for (const auto& [inputs, outputs] :
         {std::pair{8, 1}, std::pair{248, 3}, std::pair{1024, 4}, std::pair{2056, 9}}) {
      expect_all({rows, inputs, outputs}, ActivationKind::kRelu, rows % 2 == 0);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(DenseFewRowsTest, AppliesEveryActivation) {
  for (const auto kind : {ActivationKind::kNone,
                          ActivationKind::kClip,
                          ActivationKind::kTanh,
                          ActivationKind::kSigmoid}) {
    expect_all({3, 16, 7}, kind, true);
  }
}

TEST_P(DenseFewRowsTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const DenseArgs good{.x = memory.data(),
                       .w = memory.data() + 16,
                       .y = memory.data() + 32,
                       .rows = 2,
                       .inputs = 4,
                       .outputs = 4};
  for (const auto& break_it : std::vector<void (*)(DenseArgs&)>{
           [](DenseArgs& a) { a.rows = -1; },
           [](DenseArgs& a) { a.rows = kMostFewRows + 1; },
           [](DenseArgs& a) { a.inputs = 0; },
           [](DenseArgs& a) { a.inputs = 6; },
           [](DenseArgs& a) { a.type = ElementType::kFloat16; },
           [](DenseArgs& a) { a.outputs = 0; },
           [](DenseArgs& a) { a.x = static_cast<const float*>(a.x) + 1; },
           [](DenseArgs& a) { a.w = static_cast<const float*>(a.w) + 1; }}) {
    DenseArgs bad = good;
    break_it(bad);
    EXPECT_EQ(dense_few_rows(bad, stream()), cudaErrorInvalidValue);
  }
  DenseArgs nothing = good;
  nothing.rows = 0;
  EXPECT_EQ(dense_few_rows(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(DenseFewRowsTest);

}  // namespace
}  // namespace fovea::kernels
