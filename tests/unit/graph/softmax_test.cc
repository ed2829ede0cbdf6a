#include "engine/graph/ops/softmax.h"

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

constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Softmax, KnowsItsValues) {
  // 1 / (1 + e + e^2) and so on.
  EXPECT_EQ(run_floats(Softmax{}, {floats({3}, {0, 1, 2})}),
            (std::vector<float>{0.09003057317038046F, 0.24472847105479764F, 0.6652409557748218F}));
}

TEST(Softmax, TakesEveryRowAlone) {
  const std::vector<float> y = run_floats(Softmax{}, {floats({2, 1, 2}, {5, 5, 0, 100})});

  EXPECT_EQ(y[0], 0.5F);
  EXPECT_EQ(y[1], 0.5F);
  EXPECT_EQ(y[2], static_cast<float>(std::exp(-100.0)));
  EXPECT_EQ(y[3], 1.0F);
}

TEST(Softmax, DoesNotOverflow) {
  EXPECT_EQ(run_floats(Softmax{}, {floats({2}, {3e38F, 3e38F})}), (std::vector<float>{0.5F, 0.5F}));
  EXPECT_EQ(run_floats(Softmax{}, {floats({2}, {-3e38F, 3e38F})}),
            (std::vector<float>{0.0F, 1.0F}));
  EXPECT_EQ(run_floats(Softmax{}, {floats({2}, {-kInf, 1.0F})}), (std::vector<float>{0.0F, 1.0F}));
  EXPECT_EQ(run_floats(Softmax{}, {floats({3, 1}, {-7, 0, 1e9F})}), (std::vector<float>{1, 1, 1}));
}

TEST(Softmax, IsNanForARowWithNanAndOnlyThere) {
  for (std::size_t place = 0; place < 3; ++place) {
    std::vector<float> values{1, 2, 3, 4, 5, 6};
    values[place] = std::nanf("");
    const std::vector<float> y = run_floats(Softmax{}, {floats({2, 3}, values)});
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(std::isnan(y[i]), i < 3) << place << ' ' << i;
  }
}

TEST(Softmax, HasTheShapeOfItsInput) {
  EXPECT_EQ(infer(Softmax{}, {f32({kBatch, 1000})}), std::vector<TensorDesc>{f32({kBatch, 1000})});
  expect_refused(Softmax{}, {f32({})}, {"f32[]", "dimension"});
  expect_refused(Softmax{}, {f32({kBatch})}, {"f32[N]", "batch"});
  expect_refused(Softmax{}, {{DType::kBFloat16, {3}}}, {"bf16[3]", "f32"});
  expect_refused(Softmax{}, {f32({2}), f32({2})}, {"2 inputs", "takes 1"});
}

}  // namespace
}  // namespace fovea
