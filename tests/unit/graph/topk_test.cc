#include "engine/graph/ops/topk.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/graph/ops/softmax.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run;
using test::Tensor;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<std::int32_t> indices(std::int64_t k, const Tensor& x) {
  return run(TopK{.k = k}, {x})[1].values<std::int32_t>();
}

TEST(TopK, OrdersEveryRow) {
  const Tensor x = floats({2, 4}, {1, 4, 3, 2, -1, -kInf, kInf, 0});

  const std::vector<Tensor> y = run(TopK{.k = 3}, {x});

  EXPECT_EQ(y[0].floats(), (std::vector<float>{4, 3, 2, kInf, 0, -1}));
  EXPECT_EQ(y[1].values<std::int32_t>(), (std::vector<std::int32_t>{1, 2, 3, 2, 3, 0}));
}

TEST(TopK, GivesTiesToTheLowerIndex) {
  EXPECT_EQ(indices(4, floats({1, 5}, {2, 7, 2, 7, 7})), (std::vector<std::int32_t>{1, 3, 4, 0}));
  EXPECT_EQ(indices(3, floats({1, 3}, {-0.0F, 0.0F, -0.0F})), (std::vector<std::int32_t>{0, 1, 2}));
}

TEST(TopK, PutsNanLast) {
  const Tensor x = floats({1, 5}, {kNan, -kInf, kNan, 1, -2});

  const std::vector<Tensor> y = run(TopK{.k = 5}, {x});

  EXPECT_EQ(y[1].values<std::int32_t>(), (std::vector<std::int32_t>{3, 4, 1, 0, 2}));
  EXPECT_EQ(y[0].floats()[2], -kInf);
  EXPECT_TRUE(std::isnan(y[0].floats()[3]));
  EXPECT_TRUE(std::isnan(y[0].floats()[4]));
}

TEST(TopK, GivesTheProbabilitiesOfTheBest) {
  const Tensor x = test::whole_numbers({3, 50}, 7);
  const Tensor softmax = run(Softmax{}, {x})[0];

  const std::vector<Tensor> y = run(TopK{.k = 4, .softmax = true}, {x});

  const std::vector<Tensor> apart = run(TopK{.k = 4}, {softmax});
  EXPECT_EQ(y[0].floats(), apart[0].floats());
  EXPECT_EQ(y[1].values<std::int32_t>(), apart[1].values<std::int32_t>());
}

TEST(TopK, RanksByLogitsThatGiveEqualProbabilities) {
  // Both probabilities round to 0.
  const std::vector<Tensor> y =
      run(TopK{.k = 3, .softmax = true}, {floats({1, 3}, {-900, -800, 0})});

  EXPECT_EQ(y[0].floats(), (std::vector<float>{1, 0, 0}));
  EXPECT_EQ(y[1].values<std::int32_t>(), (std::vector<std::int32_t>{2, 1, 0}));
}

TEST(TopK, HasNoProbabilitiesInARowWithNan) {
  for (const float bad : {kNan, kInf}) {
    const std::vector<Tensor> y =
        run(TopK{.k = 2, .softmax = true}, {floats({2, 3}, {1, bad, 3, 0, 0, 0})});

    EXPECT_TRUE(std::isnan(y[0].floats()[0]));
    EXPECT_TRUE(std::isnan(y[0].floats()[1]));
    EXPECT_EQ(y[0].floats()[2], static_cast<float>(1.0 / 3.0));
  }
}

TEST(TopK, AgreesWithRankCounting) {
  Tensor x = test::whole_numbers({3, 100}, 11);
  std::vector<float> values = x.floats();
  values[17] = kNan;
  values[250] = kNan;
  x = floats({3, 100}, values);

  const std::vector<std::int32_t> order = indices(100, x);

  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = 0; i < 100; ++i) {
      std::size_t rank = 0;  // how many stand before element i
      const float mine = values[row * 100 + i];
      for (std::size_t j = 0; j < 100; ++j) {
        const float other = values[row * 100 + j];
        const bool same = other == mine || (std::isnan(other) && std::isnan(mine));
        const bool better = other > mine || (std::isnan(mine) && !std::isnan(other));
        if (better || (same && j < i)) ++rank;
      }
      EXPECT_EQ(order[row * 100 + rank], static_cast<std::int32_t>(i));
    }
  }
}

TEST(TopK, PassesTheSymbolicBatchThrough) {
  EXPECT_EQ(infer(TopK{}, {f32({kBatch, 1000})}),
            (std::vector<TensorDesc>{f32({kBatch, 5}), {DType::kInt32, {kBatch, 5}}}));
}

TEST(TopK, RefusesMoreThanThereIs) {
  expect_refused(TopK{.k = 6}, {f32({kBatch, 5})}, {"k is 6", "f32[N,5]", "1 to 5"});
  expect_refused(TopK{.k = 0}, {f32({kBatch, 5})}, {"k is 0"});
  expect_refused(TopK{.k = -1}, {f32({kBatch, 5})}, {"k is -1"});
  expect_refused(TopK{.k = 1}, {f32({5})}, {"f32[5]", "2 dimensions"});
  expect_refused(TopK{.k = 1}, {{DType::kInt32, {2, 5}}}, {"i32[2,5]", "f32"});
  expect_refused(TopK{.k = 1}, {f32({1, std::int64_t{1} << 31})}, {"f32[1,2147483648]", "31 bits"});
  expect_refused(TopK{.k = 1}, {}, {"0 inputs", "takes 1"});
}

}  // namespace
}  // namespace fovea
