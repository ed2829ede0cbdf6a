#include "engine/graph/ops/lrn.h"

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
using test::whole_numbers;

/// Element c of a pixel by the formula, asking of every channel whether it is in the window.
double normalised(const std::vector<float>& pixel, std::int64_t c, const Lrn& lrn) {
  double sum = 0.0;
  for (std::int64_t j = 0; j < static_cast<std::int64_t>(pixel.size()); ++j) {
    const std::int64_t floor_half = (lrn.size - 1) / 2;
    const std::int64_t ceil_half = lrn.size / 2;
    if (j < c - floor_half || j > c + ceil_half) continue;
    sum += std::pow(static_cast<double>(pixel[static_cast<std::size_t>(j)]), 2);
  }
  return pixel[static_cast<std::size_t>(c)] *
         std::pow(lrn.bias + lrn.alpha * sum / static_cast<double>(lrn.size), -lrn.beta);
}

TEST(Lrn, EqualsItsDefinition) {
  for (const Lrn& lrn : {Lrn{},
                         Lrn{.size = 1, .alpha = 2.0},
                         Lrn{.size = 2, .alpha = 2.0},
                         Lrn{.size = 4, .alpha = 0.5, .beta = 1.5, .bias = 2.0},
                         Lrn{.size = 5, .alpha = 0.5, .beta = 0.75, .bias = 0.25},
                         Lrn{.size = 30, .alpha = 1.0, .beta = -1.0}}) {
    for (const std::int64_t channels : {1, 3, 7}) {
      SCOPED_TRACE(testing::Message() << lrn.size << " of " << channels);
      const Tensor x = whole_numbers({2, 3, 1, channels}, 3);
      const std::vector<float> values = x.floats();

      const std::vector<float> y = run_floats(lrn, {x});

      for (std::int64_t i = 0; i < static_cast<std::int64_t>(y.size()); ++i) {
        const auto first = values.begin() + i / channels * channels;
        const double want = normalised({first, first + channels}, i % channels, lrn);
        ASSERT_FLOAT_EQ(y[static_cast<std::size_t>(i)], static_cast<float>(want)) << i;
      }
    }
  }
}

TEST(Lrn, AnEvenWindowReachesFurtherAfterTheChannel) {
  const Lrn lrn{.size = 2, .alpha = 2.0, .beta = 1.0, .bias = 1.0};

  // 1 / (1 + 1 + 9), 3 / (1 + 9 + 4), 2 / (1 + 4)
  EXPECT_EQ(run_floats(lrn, {floats({1, 1, 1, 3}, {1, 3, 2})}),
            (std::vector<float>{1.0F / 11.0F, 3.0F / 14.0F, 2.0F / 5.0F}));
}

TEST(Lrn, WorksInDouble) {
  // 2^24 and 1 beside each other: the 1 is lost where the sum is a float.
  const Lrn lrn{.size = 2, .alpha = 2.0, .beta = 1.0, .bias = 1.0};

  const auto y = run_floats(lrn, {floats({1, 1, 1, 2}, {4096, 1})});

  EXPECT_EQ(y[0], static_cast<float>(4096.0 / (1.0 + 4096.0 * 4096.0 + 1.0)));
}

TEST(Lrn, KeepsTheShape) {
  const TensorDesc x = f32({kBatch, 55, 55, 96});
  EXPECT_EQ(infer(Lrn{}, {x}), std::vector<TensorDesc>{x});
}

TEST(Lrn, RefusesWhatHasNoValue) {
  const TensorDesc x = f32({kBatch, 4, 5, 3});
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  expect_refused(Lrn{.size = 0}, {x}, {"window", "0"});
  expect_refused(Lrn{.size = std::numeric_limits<std::int64_t>::max()}, {x}, {"window"});
  expect_refused(Lrn{.alpha = -1e-4}, {x}, {"alpha", "-0.0001"});
  expect_refused(Lrn{.alpha = std::nan("")}, {x}, {"alpha", "nan"});
  expect_refused(Lrn{.beta = kInfinity}, {x}, {"beta", "inf"});
  expect_refused(Lrn{.bias = 0.0}, {x}, {"bias", "0"});
  expect_refused(Lrn{.bias = kInfinity}, {x}, {"bias", "inf"});
  expect_refused(Lrn{}, {x, x}, {"2 inputs", "takes 1"});
  expect_refused(Lrn{}, {f32({kBatch, 3})}, {"f32[N,3]", "4 dimensions"});
  expect_refused(Lrn{}, {{DType::kInt8, x.shape}}, {"i8[N,4,5,3]", "f32"});
}

}  // namespace
}  // namespace fovea
