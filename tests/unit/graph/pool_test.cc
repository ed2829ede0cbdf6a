#include "engine/graph/ops/pool.h"

#include <algorithm>
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
using test::Tensor;
using test::unknown;
using test::whole_numbers;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// The elements of one window that lie on the picture, for output element i.
template <typename Pool>
std::vector<double> window_of(const Pool& pool, const Tensor& x, const Shape& out, std::int64_t i) {
  const Shape& in = x.desc.shape;
  const std::vector<float> values = x.floats();
  const std::int64_t c = i % out[3];
  const std::int64_t q = i / out[3] % out[2];
  const std::int64_t p = i / out[3] / out[2] % out[1];
  const std::int64_t n = i / out[3] / out[2] / out[1];
  std::vector<double> window;
  for (std::int64_t h = 0; h < in[1]; ++h) {
    for (std::int64_t w = 0; w < in[2]; ++w) {
      const std::int64_t r = h - (p * pool.strides[0] - pool.pads[0]);
      const std::int64_t s = w - (q * pool.strides[1] - pool.pads[1]);
      if (r < 0 || r >= pool.kernel[0] || s < 0 || s >= pool.kernel[1]) continue;
      window.push_back(values[static_cast<std::size_t>(((n * in[1] + h) * in[2] + w) * in[3] + c)]);
    }
  }
  return window;
}

struct Case {
  Shape x;
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> strides;
  Pads pads;
};

std::vector<Case> cases() {
  return {
      {{1, 1, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
      {{2, 7, 5, 3}, {3, 2}, {2, 1}, {0, 1, 1, 0}},
      {{1, 6, 6, 1}, {3, 3}, {2, 2}, {0, 0, 1, 1}},
      {{1, 5, 5, 33}, {5, 5}, {1, 1}, {2, 2, 2, 2}},
      {{1, 2, 3, 2}, {4, 4}, {3, 3}, {3, 2, 1, 3}},
      {{3, 9, 4, 2}, {2, 3}, {5, 2}, {1, 2, 0, 0}},
  };
}

TEST(MaxPool, EqualsItsDefinition) {
  for (const Case& row : cases()) {
    const MaxPool pool{.kernel = row.kernel, .strides = row.strides, .pads = row.pads};
    const Tensor x = whole_numbers(row.x, 1);
    const Shape out = infer(pool, {x.desc}).at(0).shape;

    const std::vector<float> y = run_floats(pool, {x});

    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto window = window_of(pool, x, out, static_cast<std::int64_t>(i));
      ASSERT_EQ(y[i], *std::ranges::max_element(window)) << to_string(x.desc) << " at " << i;
    }
  }
}

TEST(AveragePool, EqualsItsDefinition) {
  for (const Case& row : cases()) {
    for (const bool count_padding : {false, true}) {
      const AveragePool pool{.kernel = row.kernel,
                             .strides = row.strides,
                             .pads = row.pads,
                             .count_padding = count_padding};
      const Tensor x = whole_numbers(row.x, 2);
      const Shape out = infer(pool, {x.desc}).at(0).shape;

      const std::vector<float> y = run_floats(pool, {x});

      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto window = window_of(pool, x, out, static_cast<std::int64_t>(i));
        double sum = 0.0;
        for (const double value : window) sum += value;
        const double count = count_padding ? static_cast<double>(row.kernel[0] * row.kernel[1])
                                           : static_cast<double>(window.size());
        ASSERT_EQ(y[i], static_cast<float>(sum / count)) << to_string(x.desc) << " at " << i;
      }
    }
  }
}

TEST(AveragePool, CountsPaddingOnlyWhereAsked) {
  const Tensor x = floats({1, 1, 2, 1}, {6, 2});
  AveragePool pool{.kernel = {1, 2}, .strides = {1, 2}, .pads = {0, 1, 0, 1}};

  EXPECT_EQ(run_floats(pool, {x}), (std::vector<float>{6, 2}));
  pool.count_padding = true;
  EXPECT_EQ(run_floats(pool, {x}), (std::vector<float>{3, 1}));
}

TEST(AveragePool, AppliesItsActivationToTheMean) {
  const Tensor x = floats({1, 1, 2, 2}, {-6, 6, 2, -2});
  AveragePool pool{.kernel = {1, 2}, .activation = {.kind = ActivationKind::kRelu}};

  EXPECT_EQ(run_floats(pool, {x}), (std::vector<float>{0, 2}));
  pool.activation = {.kind = ActivationKind::kClip, .lo = -1.0F, .hi = 1.0F};
  EXPECT_EQ(run_floats(pool, {x}), (std::vector<float>{-1, 1}));
  pool.activation.kind = test::unknown<ActivationKind>(9);
  expect_refused(pool, {x.desc}, {"number 9"});
}

TEST(MaxPool, LetsPaddingNeverWin) {
  const MaxPool pool{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};

  EXPECT_EQ(run_floats(pool, {floats({1, 1, 2, 1}, {-5, -7})}), (std::vector<float>{-5, -5}));
  EXPECT_EQ(run_floats(pool, {floats({1, 1, 1, 1}, {-kInf})}), (std::vector<float>{-kInf}));
}

TEST(MaxPool, LetsNanWinWhereverItStands) {
  const MaxPool pool{.kernel = {1, 3}};
  for (std::size_t place = 0; place < 3; ++place) {
    std::vector<float> values{1.0F, kInf, -2.0F};
    values[place] = kNan;
    EXPECT_TRUE(std::isnan(run_floats(pool, {floats({1, 1, 3, 1}, values)})[0])) << place;
  }
  const std::vector<float> y = run_floats(pool, {floats({1, 1, 4, 1}, {kNan, 1, 2, 3})});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], 3.0F);
}

TEST(GlobalPool, ReducesEveryPictureToItsChannels) {
  const Tensor x = floats({2, 1, 3, 2}, {1, -1, 2, -4, 6, -7, 0, 5, 0, 5, 3, 8});

  EXPECT_EQ(run_floats(GlobalPool{.kind = PoolKind::kAverage}, {x}),
            (std::vector<float>{3, -4, 1, 6}));
  EXPECT_EQ(run_floats(GlobalPool{.kind = PoolKind::kMax}, {x}), (std::vector<float>{6, -1, 3, 8}));
  EXPECT_EQ(run_floats(GlobalPool{.kind = PoolKind::kMax, .keep_dims = true}, {x}),
            (std::vector<float>{6, -1, 3, 8}));
}

TEST(GlobalPool, SumsInDouble) {
  // The float32 sum would stay at 2^24.
  EXPECT_EQ(run_floats(GlobalPool{}, {floats({1, 2, 2, 1}, {16777216.0F, 1, 1, 2})}),
            (std::vector<float>{4194305.0F}));
}

TEST(GlobalPool, KeepsNan) {
  const Tensor x = floats({1, 1, 2, 2}, {1, kNan, 2, 5});
  for (const PoolKind kind : {PoolKind::kAverage, PoolKind::kMax}) {
    const std::vector<float> y = run_floats(GlobalPool{.kind = kind}, {x});
    EXPECT_FALSE(std::isnan(y[0]));
    EXPECT_TRUE(std::isnan(y[1]));
  }
}

TEST(Pools, PassTheSymbolicBatchThrough) {
  const TensorDesc x = f32({kBatch, 112, 112, 64});
  const MaxPool max{.kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 1, 1, 1}};
  EXPECT_EQ(infer(max, {x}), std::vector<TensorDesc>{f32({kBatch, 56, 56, 64})});
  const AveragePool average{.kernel = {2, 3}, .strides = {2, 4}};
  EXPECT_EQ(infer(average, {x}), std::vector<TensorDesc>{f32({kBatch, 56, 28, 64})});
  EXPECT_EQ(infer(GlobalPool{}, {x}), std::vector<TensorDesc>{f32({kBatch, 64})});
  EXPECT_EQ(infer(GlobalPool{.keep_dims = true}, {x}),
            std::vector<TensorDesc>{f32({kBatch, 1, 1, 64})});
}

TEST(Pools, RefuseWindowsThatMeanNothing) {
  const std::vector<TensorDesc> x{f32({kBatch, 4, 5, 3})};
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  expect_refused(MaxPool{.kernel = {0, 1}}, x, {"kernel", "0"});
  expect_refused(MaxPool{.kernel = {1, kHuge}}, x, {"kernel"});
  expect_refused(MaxPool{.strides = {1, 0}}, x, {"stride", "0"});
  expect_refused(AveragePool{.strides = {-1, 1}}, x, {"stride", "-1"});
  expect_refused(AveragePool{.pads = {0, 0, -3, 0}}, x, {"padding", "-3"});
  expect_refused(MaxPool{.pads = {kHuge, 0, 0, 0}}, x, {"padding"});
  expect_refused(MaxPool{.kernel = {5, 1}}, x, {"window of 5", "dimension 1", "f32[N,4,5,3]"});
  expect_refused(AveragePool{.kernel = {1, 6}}, x, {"window of 6", "dimension 2", "f32[N,4,5,3]"});
}

TEST(Pools, RefuseAWindowThatLiesInThePadding) {
  const std::vector<TensorDesc> x{f32({kBatch, 4, 4, 3})};
  expect_refused(
      MaxPool{.kernel = {2, 2}, .pads = {2, 0, 0, 0}}, x, {"dimension 1", "window of 2"});
  expect_refused(
      MaxPool{.kernel = {2, 2}, .pads = {0, 0, 0, 2}}, x, {"dimension 2", "window of 2"});
  expect_refused(AveragePool{.kernel = {2, 2}, .pads = {0, 2, 0, 0}}, x, {"dimension 2"});
  // The third window would start at 4; at stride 3 the second starts at 3.
  expect_refused(
      AveragePool{.kernel = {2, 1}, .strides = {2, 1}, .pads = {0, 0, 2, 0}}, x, {"dimension 1"});
  EXPECT_NO_THROW(
      (void)infer(AveragePool{.kernel = {2, 1}, .strides = {3, 1}, .pads = {1, 0, 1, 0}}, x));
}

TEST(Pools, RefuseOtherTypesCountsAndRanks) {
  const TensorDesc x = f32({kBatch, 4, 5, 3});
  expect_refused(MaxPool{}, {x, x}, {"2 inputs", "takes 1"});
  expect_refused(AveragePool{}, {{DType::kInt8, x.shape}}, {"i8[N,4,5,3]", "f32"});
  expect_refused(GlobalPool{}, {f32({kBatch, 4, 5})}, {"f32[N,4,5]", "4 dimensions"});
  expect_refused(GlobalPool{}, {}, {"0 inputs", "takes 1"});
  expect_refused(GlobalPool{.kind = unknown<PoolKind>(2)}, {x}, {"kind", "2"});
}

}  // namespace
}  // namespace fovea
