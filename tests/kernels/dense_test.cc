#include "kernels/dense.h"

#include "engine/graph/ops/dense.h"
#include "tests/kernels/elements.h"

namespace fovea::kernels {
namespace {

struct Case {
  std::int64_t rows;
  int inputs;
  int outputs;
};

class DenseTest : public test::DeviceTest {
 protected:
  /// Around a warp, a vector of 4 or 8 and a warp of those, 4 rows and 8 outputs.
  const std::vector<Case> cases_{{1, 1, 1},
                                 {3, 31, 7},
                                 {4, 32, 8},
                                 {5, 33, 9},
                                 {3, 36, 5},
                                 {2, 129, 33},
                                 {5, 264, 3},
                                 {9, 400, 120},
                                 {1, 2048, 1000}};

  /// A layer with a Relu on elements of the type, against the definition.
  void compare(const Case& c, ElementType type, bool bias) {
    SCOPED_TRACE(testing::Message() << to_string(test::dtype_of(type)) << ' ' << c.rows << " x "
                                    << c.inputs << " x " << c.outputs << ", bias " << bias);
    const auto inputs = static_cast<std::size_t>(c.inputs);
    const auto outputs = static_cast<std::size_t>(c.outputs);
    const auto rows = static_cast<std::size_t>(c.rows);
    const auto numbers = [type](std::size_t size, unsigned seed) {
      return test::rounded(test::random_floats(size, seed), type);
    };
    std::vector<test::HostTensor> tensors{
        {{DType::kFloat32, {c.rows, c.inputs}}, numbers(rows * inputs, 1)},
        {{DType::kFloat32, {c.outputs, c.inputs}}, numbers(outputs * inputs, 2)}};
    if (bias) tensors.push_back({{DType::kFloat32, {c.outputs}}, test::random_floats(outputs, 3)});
    const fovea::Activation relu{.kind = fovea::ActivationKind::kRelu};
    const std::vector<float> expected =
        test::evaluated(Dense{.bias = bias, .activation = relu}, tensors);
    const test::DeviceElements x(type, tensors[0].values);
    const test::DeviceElements w(type, tensors[1].values);
    const test::DeviceArray<float> b(bias ? tensors[2].values : std::vector<float>{});
    const test::DeviceElements y(type, rows * outputs);

    ASSERT_EQ(dense({.type = type,
                     .x = x.data(),
                     .w = w.data(),
                     .bias = bias ? b.data() : nullptr,
                     .y = y.data(),
                     .rows = c.rows,
                     .inputs = c.inputs,
                     .outputs = c.outputs,
                     .activation = {.kind = ActivationKind::kRelu}},
                    stream()),
              cudaSuccess);

    // inputs / 32 + 6 additions in a row, of terms below 16: at most 70 * 2^-24 * sum of terms. The
    // result is then rounded once.
    test::expect_near(y.download(stream()),
                      expected,
                      1e-7 * static_cast<double>(inputs) + 1e-6,
                      1e-6 + test::unit_roundoff(type));
  }
};

TEST_P(DenseTest, EqualsTheReference) {
  for (const Case& c : cases_) {
    for (const ElementType type : test::kElementTypes) {
      for (const bool bias : {false, true}) compare(c, type, bias);
    }
  }
}

TEST_P(DenseTest, TakesRowsAndWeightsThatAreNotAligned) {
  for (const ElementType type : test::kElementTypes) {
    const std::vector<float> x = test::rounded(test::random_floats(8, 1), type);
    const std::vector<float> w = test::rounded(test::random_floats(8, 2), type);
    double sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += double{x[i]} * double{w[i]};
    for (const std::size_t x_offset : {0U, 1U}) {
      const std::size_t w_offset = 1 - x_offset;
      const test::DeviceElements x_on(type, test::spread(x, 8, 8 + x_offset, x_offset));
      const test::DeviceElements w_on(type, test::spread(w, 8, 8 + w_offset, w_offset));
      const test::DeviceElements y(type, std::size_t{1});

      ASSERT_EQ(dense({.type = type,
                       .x = x_on.at(x_offset),
                       .w = w_on.at(w_offset),
                       .y = y.data(),
                       .rows = 1,
                       .inputs = 8,
                       .outputs = 1},
                      stream()),
                cudaSuccess);

      test::expect_near(
          y.download(stream()), {static_cast<float>(sum)}, 1e-6, 1e-6 + test::unit_roundoff(type));
    }
  }
}

TEST_P(DenseTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const DenseArgs good{.x = memory.data(),
                       .w = memory.data() + 16,
                       .y = memory.data() + 32,
                       .rows = 2,
                       .inputs = 4,
                       .outputs = 4};
  for (const auto& break_it :
       std::vector<void (*)(DenseArgs&)>{[](DenseArgs& a) { a.rows = -1; },
                                         [](DenseArgs& a) { a.rows = 262'141; },
                                         [](DenseArgs& a) { a.inputs = 0; },
                                         [](DenseArgs& a) { a.outputs = 0; }}) {
    DenseArgs bad = good;
    break_it(bad);
    EXPECT_EQ(dense(bad, stream()), cudaErrorInvalidValue);
  }
  DenseArgs nothing = good;
  nothing.rows = 0;
  EXPECT_EQ(dense(nothing, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(DenseTest);

}  // namespace
}  // namespace fovea::kernels
