// Winograd convolutions of the CPU backend against the definition, evaluated in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/require.h"
#include "tests/backend/one_convolution.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

using test::Floats;
using test::kClip;
using test::kRelu;
using test::NamedFloats;

struct Case {
  std::string name;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t filters = 0;
  Pads pads{1, 1, 1, 1};
  bool bias = true;
  bool residual = false;
  Activation activation{};
  std::int64_t kernel = 3;  ///< rows and columns
  std::int64_t stride = 1;
};

/// One convolution on a picture of random values in [-2, 2), with weights from the same range.
Graph network(const Case& c) {
  const Conv2d conv{.strides = {c.stride, c.stride},
                    .pads = c.pads,
                    .bias = c.bias,
                    .residual = c.residual,
                    .activation = c.activation};
  return test::one_convolution(
      {kBatch, c.height, c.width, c.channels}, {c.kernel, c.kernel}, c.filters, conv, 1);
}

std::shared_ptr<const ExecutionPlan> plan_of(const Graph& graph, const PlanOptions& options) {
  return compile_plan(graph, make_cpu_backend(), options);
}

/// Tiles of 6x6 inputs; of a kernel with strides only every stride-th tap is in one of them.
std::string tactic_of(const Case& c) {
  const std::int64_t outputs = 7 - (c.kernel + c.stride - 1) / c.stride;
  const std::string name = cat("winograd:", outputs, 'x', outputs);
  return c.stride == 1 ? name : cat(name, 's', c.stride);
}

bool uses_winograd(const ExecutionPlan& plan, std::string_view tactic = "winograd:4x4") {
  const auto& steps = plan.buckets.front().steps;
  return std::any_of(steps.begin(), steps.end(), [&](const PlannedStep& s) {
    return s.tactic == tactic || s.tactic.starts_with(cat(tactic, '/'));
  });
}

class Winograd : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_avx512()) GTEST_SKIP() << "this processor has no AVX-512";
  }
};

class WinogradShapes : public Winograd, public testing::WithParamInterface<Case> {};

/// Outputs are sums of kernel^2 * channels products with a standard deviation of 4/3 each. For a
/// sum of that form over 256 channels the largest error of many was 1e-5 of the sum's standard
/// deviation (see winograd_points.h); a wrong constant or place gives errors near 1.
double tolerance(const Case& c) {
  const auto products = static_cast<double>(c.kernel * c.kernel * c.channels);
  return 4e-5 * std::sqrt(products) * 4.0 / 3.0;
}

TEST_P(WinogradShapes, EqualsTheDefinition) {
  const Case& c = GetParam();
  const Graph graph = network(c);
  double largest = 0;
  for (const std::int64_t n : {1, 3}) {
    const NamedFloats inputs = test::random_inputs(graph, n, 5);
    const Floats want = test::run_graph(graph, make_reference_backend(), n, inputs).at("y");
    for (const int threads : {1, 2}) {
      const auto plan = plan_of(graph, {.buckets = {n}, .threads = threads});
      ASSERT_TRUE(uses_winograd(*plan, tactic_of(c))) << to_string(*plan);

      const Floats got = test::run_plan(plan, n, inputs).at("y");

      ASSERT_EQ(got.size(), want.size());
      for (std::size_t i = 0; i < want.size(); ++i) {
        const double error = std::abs(static_cast<double>(got[i]) - want[i]);
        ASSERT_LE(error, tolerance(c))
            << "element " << i << ", batch " << n << ", threads " << threads;
        largest = std::max(largest, error);
      }
    }
  }
  RecordProperty("largest_error", testing::PrintToString(largest));
}

constexpr Pads kOne{1, 1, 1, 1};
constexpr Pads kTwo{2, 2, 2, 2};

// Heights and widths around multiples of a tile, channels around multiples of a register, filters
// of one to more than four panels.
INSTANTIATE_TEST_SUITE_P(
    Convolutions,
    WinogradShapes,
    testing::Values(Case{"exact_tiles", 8, 12, 16, 16},
                    Case{"one_tile", 4, 4, 16, 32},
                    Case{"odd_picture", 7, 13, 16, 32, kOne, true, true, kRelu},
                    Case{"valid", 14, 10, 32, 16, {0, 0, 0, 0}, false, false, kRelu},
                    Case{"wide_padding", 6, 7, 16, 16, kTwo, true, false, kClip},
                    Case{"asymmetric", 7, 8, 17, 33, {0, 1, 2, 1}, true, false, kRelu},
                    Case{"asymmetric_other_side", 8, 7, 33, 17, {2, 0, 0, 2}, true, true, {}},
                    Case{"padded_channels", 8, 8, 40, 20, kOne, false, true, kClip},
                    Case{"many_tiles", 41, 35, 16, 16, kOne, true, true, {}},
                    Case{"many_channels", 8, 8, 272, 48, kOne, true, false, {}},
                    Case{"many_filters", 8, 8, 64, 304, kOne, true, true, kRelu},
                    Case{"five_exact_tiles", 8, 12, 16, 16, kTwo, true, false, {}, 5},
                    Case{"five_one_tile", 2, 2, 16, 32, kTwo, true, false, {}, 5},
                    Case{"five_odd_picture", 7, 13, 16, 32, kTwo, true, true, kRelu, 5},
                    Case{"five_valid", 14, 11, 32, 16, {0, 0, 0, 0}, false, false, kRelu, 5},
                    Case{"five_wide_padding", 7, 8, 16, 16, {4, 4, 4, 4}, true, false, kClip, 5},
                    Case{"five_asymmetric", 8, 9, 17, 33, {0, 1, 4, 3}, true, false, kRelu, 5},
                    Case{"five_other_side", 9, 8, 33, 17, {3, 4, 1, 0}, true, true, {}, 5},
                    Case{"five_padded_channels", 8, 8, 40, 20, kTwo, false, true, kClip, 5},
                    Case{"five_many_tiles", 27, 25, 16, 16, kTwo, true, true, {}, 5},
                    Case{"five_many_channels", 8, 8, 272, 48, kTwo, true, false, {}, 5},
                    Case{"five_many_filters", 8, 8, 64, 304, kTwo, true, true, kRelu, 5},
                    Case{"stem", 31, 28, 3, 40, {3, 3, 2, 3}, true, true, kRelu, 7, 2},
                    Case{"stem_valid", 23, 24, 3, 16, {0, 0, 0, 0}, false, false, {}, 7, 2},
                    Case{"stem_wide", 43, 59, 3, 48, {2, 2, 2, 1}, true, false, kRelu, 11, 4},
                    Case{"strided_three", 25, 24, 7, 16, {3, 2, 1, 4}, true, true, kClip, 7, 3},
                    Case{"strided_channels", 15, 16, 16, 32, kTwo, true, true, {}, 5, 2},
                    Case{"strided_even", 14, 15, 4, 17, {3, 3, 3, 3}, true, false, {}, 8, 2},
                    Case{"strided_two_outputs", 11, 12, 4, 33, {4, 4, 4, 4}, true, true, {}, 9, 2}),
    [](const auto& test) { return test.param.name; });

/// Of a picture alone, and of it among others on several numbers of threads.
void expect_same_bits(const Case& c) {
  const Graph graph = network(c);
  constexpr std::int64_t kPictures = 7;
  const NamedFloats inputs = test::random_inputs(graph, kPictures, 3);
  const auto row = [](const Floats& values, std::int64_t picture) {
    const auto size = static_cast<std::ptrdiff_t>(values.size()) / kPictures;
    return Floats(values.begin() + picture * size, values.begin() + (picture + 1) * size);
  };
  Floats want;
  const auto alone = plan_of(graph, {.buckets = {1}});
  for (std::int64_t i = 0; i < kPictures; ++i) {
    NamedFloats one;
    for (const auto& [name, values] : inputs) one[name] = row(values, i);
    const Floats y = test::run_plan(alone, 1, one).at("y");
    want.insert(want.end(), y.begin(), y.end());
  }

  for (const int threads : {1, 2, 3, 4, 6}) {
    const auto plan = plan_of(graph, {.buckets = {kPictures}, .threads = threads});

    EXPECT_EQ(test::run_plan(plan, kPictures, inputs).at("y"), want) << threads << " threads";
  }
}

TEST_F(Winograd, APictureHasTheSameBitsInEveryBatchAndOnEveryNumberOfThreads) {
  // 25 tiles a picture: no boundary of a kernel, a block or a thread is one of a picture.
  for (const Case& c : {Case{"", 18, 20, 48, 80, kOne, true, true, kRelu},
                        Case{"", 10, 10, 48, 80, kTwo, true, true, kRelu, 5},
                        Case{"", 29, 29, 3, 80, {3, 3, 3, 3}, true, true, kRelu, 7, 2}}) {
    expect_same_bits(c);
  }
}

TEST_F(Winograd, ANanSpreadsOverItsTilesAndNoActivationHidesIt) {
  // The last pixel is an input of the last tile alone.
  const Case c{"", 8, 8, 16, 16, kOne, true, false, kRelu};
  const Graph graph = network(c);
  NamedFloats inputs = test::random_inputs(graph, 1, 5);
  const auto at = [](std::size_t row, std::size_t column) { return (row * 8 + column) * 16; };
  inputs.at("x")[at(7, 7) + 3] = std::nanf("");

  const Floats got = test::run_plan(plan_of(graph, {}), 1, inputs).at("y");

  for (std::size_t row = 0; row < 8; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      for (std::size_t channel = 0; channel < 16; ++channel) {
        const bool hit = row >= 4 && column >= 4;
        EXPECT_EQ(std::isnan(got[at(row, column) + channel]), hit) << row << ' ' << column;
      }
    }
  }
}

TEST_F(Winograd, WeightsArePackedOnceForAllBatches) {
  const Graph graph = network({"", 8, 8, 32, 32});

  const auto one = plan_of(graph, {.buckets = {1}});
  const auto several = plan_of(graph, {.buckets = {1, 2, 8}});

  EXPECT_EQ(one->weight_bytes, std::size_t{36} * 32 * 32 * 4 + 64 * 4);
  EXPECT_EQ(several->weight_bytes, one->weight_bytes);
}

TEST_F(Winograd, ExactConvolutionsDoWithoutIt) {
  const Graph graph = network({"", 8, 8, 32, 32});

  EXPECT_TRUE(uses_winograd(*plan_of(graph, {})));
  EXPECT_FALSE(uses_winograd(*plan_of(graph, {.exact_convolutions = true})));
}

TEST_F(Winograd, IsNotForOtherConvolutions) {
  Case tanh{"", 8, 8, 32, 32};
  tanh.activation = {.kind = ActivationKind::kTanh};
  const std::array cases{tanh,
                         Case{"", 8, 8, 8, 32},
                         Case{"", 1, 1, 64, 64},
                         Case{"", 8, 8, 32, 32, kOne, true, false, {}, 4},
                         Case{"", 9, 9, 32, 32, {3, 3, 3, 3}, true, false, {}, 7}};
  for (const Case& c : cases) {
    const Graph graph = network(c);
    const NamedFloats inputs = test::random_inputs(graph, 1, 5);

    const auto plan = plan_of(graph, {});

    EXPECT_EQ(to_string(*plan).find("winograd"), std::string::npos) << to_string(*plan);
    const Floats got = test::run_plan(plan, 1, inputs).at("y");
    const Floats want = test::run_graph(graph, make_reference_backend(), 1, inputs).at("y");
    for (std::size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance(c));
  }
}

}  // namespace
}  // namespace fovea
