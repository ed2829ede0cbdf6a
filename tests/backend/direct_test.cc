// The CPU backend's own direct and depthwise convolutions against the definition: sizes around the
// blocks in which they compute, and the paths that copy inputs.
#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/library.h"
#include "tests/backend/one_convolution.h"
#include "tests/backend/tactic_slices.h"
#include "tests/support/strided.h"

namespace fovea {
namespace {

using test::Floats;
using test::kClip;
using test::kRelu;

struct Case {
  std::string name;
  std::array<std::int64_t, 2> picture{};  ///< rows, columns
  std::int64_t channels = 0;
  std::int64_t filters = 0;
  std::array<std::int64_t, 2> kernel{1, 1};
  Conv2d conv{};

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

/// One convolution on three pictures of random values in [-2, 2), with weights from the same range.
Graph network(const Case& c) {
  return test::one_convolution(
      {3, c.picture[0], c.picture[1], c.channels}, c.kernel, c.filters, c.conv, 11);
}

/// Sums of products with a standard deviation of 4/3 each, in float32 in an order of their own;
/// Winograd's, which are among the tactics, round coarser (winograd_test.cc).
float tolerance(const Case& c) {
  const auto terms = static_cast<double>(c.kernel[0] * c.kernel[1] * c.channels);
  return static_cast<float>(4e-5 * std::sqrt(terms) * 4.0 / 3.0);
}

bool is_direct(const Tactic& tactic) {
  return tactic.name.starts_with("direct:") || tactic.name == "depthwise";
}

class Direct : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!has_avx512()) GTEST_SKIP() << "this processor has no AVX-512";
  }

  const std::unique_ptr<Backend> backend_ = make_cpu_backend();
};

TEST_P(Direct, EqualsTheDefinitionInsideOfLargerBuffers) {
  const Graph graph = network(GetParam());
  for (const int threads : {1, 2, 3}) {
    SCOPED_TRACE(threads);
    const OpSite site = test::sites_of(graph, threads).at(0);
    const std::vector<Tactic> tactics = backend_->tactics(site);
    ASSERT_TRUE(std::any_of(tactics.begin(), tactics.end(), is_direct));

    test::expect_equal_to_definition(*backend_, site, tolerance(GetParam()));
  }
}

TEST_P(Direct, GivesTheSameBitsForEveryLayoutAndNumberOfThreads) {
  const Graph graph = network(GetParam());
  const std::vector<Floats> inputs = test::values_of(test::sites_of(graph, 1).at(0));
  std::vector<Floats> results;

  for (const bool sliced : {true, false}) {
    for (const int threads : {1, 2, 4}) {
      OpSite site = test::sites_of(graph, threads).at(0);
      if (!sliced) std::fill(site.inputs.begin(), site.inputs.end(), Layout{});
      for (const Tactic& tactic : backend_->tactics(site)) {
        if (!is_direct(tactic)) continue;
        results.push_back(test::run_tactic(*backend_, site, tactic, tactic.outputs, inputs).at(0));
      }
    }
  }

  ASSERT_GE(results.size(), 6U);
  for (const Floats& result : results) EXPECT_EQ(result, results.front());
}

Conv2d with(std::array<std::int64_t, 2> strides, Pads pads, Activation activation = kRelu) {
  return {.strides = strides, .pads = pads, .bias = true, .activation = activation};
}

Conv2d with_residual(Conv2d conv) {
  conv.residual = true;
  return conv;
}

Conv2d dilated(Conv2d conv, std::array<std::int64_t, 2> dilations) {
  conv.dilations = dilations;
  return conv;
}

Conv2d behind_relu(Conv2d conv) {
  conv.input_activation = ActivationKind::kRelu;
  return conv;
}

Conv2d grouped(Conv2d conv, std::int64_t groups) {
  conv.groups = groups;
  return conv;
}

/// With its activation on the first so many filters only.
Conv2d partly(std::int64_t filters, Conv2d conv) {
  conv.activation_channels = filters;
  return conv;
}

const Conv2d kPlain{};
const Conv2d kPointwise = with({1, 1}, {0, 0, 0, 0});

INSTANTIATE_TEST_SUITE_P(
    Convolutions,
    Direct,
    testing::Values(
        // Channels around a register, filters around a panel, pixels around a product.
        Case{"one_of_everything", {1, 1}, 1, 1, {1, 1}, kPlain},
        Case{"channels_15", {2, 7}, 15, 15, {1, 1}, kPointwise},
        Case{"channels_16", {3, 5}, 16, 16, {1, 1}, kPointwise},
        Case{"channels_17", {5, 3}, 17, 17, {1, 1}, with_residual(kPointwise)},
        Case{"filters_31", {4, 7}, 31, 31, {1, 1}, kPointwise},
        Case{"filters_33", {13, 1}, 33, 33, {1, 1}, with_residual(kPointwise)},
        Case{"filters_48", {9, 9}, 8, 48, {1, 1}, with({1, 1}, {0, 0, 0, 0}, kClip)},
        // Pixels that would share lines of the cache, and strides, are copied.
        Case{"many_channels", {3, 3}, 1024, 40, {1, 1}, with_residual(kPointwise)},
        Case{"strided_pixels", {7, 8}, 24, 40, {1, 1}, with({2, 3}, {0, 0, 0, 0})},
        Case{"padded_pixels", {5, 6}, 8, 16, {1, 1}, with({1, 2}, {1, 0, 2, 1})},
        // Windows.
        Case{"stem", {23, 25}, 3, 20, {7, 7}, with({2, 2}, {3, 3, 3, 3})},
        Case{"eleven", {31, 29}, 3, 33, {11, 11}, with({4, 4}, {2, 2, 2, 2})},
        Case{"valid", {9, 17}, 5, 36, {3, 3}, kPointwise},
        Case{"same", {6, 15}, 16, 32, {5, 5}, with_residual(with({1, 1}, {2, 2, 2, 2}, kClip))},
        Case{"strided", {15, 16}, 17, 31, {3, 3}, with({2, 2}, {1, 1, 1, 1})},
        Case{"asymmetric", {8, 7}, 9, 18, {3, 2}, with({1, 2}, {0, 1, 2, 0})},
        Case{"row", {17, 17}, 20, 24, {1, 7}, with_residual(with({1, 1}, {0, 3, 0, 3}))},
        Case{"column", {17, 17}, 20, 24, {7, 1}, with({1, 1}, {3, 0, 3, 0})},
        Case{"wide_row", {3, 40}, 6, 16, {1, 3}, with({2, 1}, {0, 1, 0, 1})},
        Case{"dilated", {12, 13}, 7, 17, {3, 3}, dilated(with({1, 1}, {2, 2, 2, 2}), {2, 2})},
        Case{"dilated_row", {4, 19}, 8, 16, {1, 3}, dilated(with({1, 2}, {0, 3, 0, 3}), {1, 3})},
        Case{"all_padding", {2, 2}, 4, 16, {3, 3}, with({3, 3}, {4, 4, 4, 4})},
        // Inputs with a Relu.
        Case{"relu_pixels", {5, 5}, 20, 24, {1, 1}, behind_relu(kPointwise)},
        Case{"relu_window", {6, 7}, 9, 16, {3, 3}, behind_relu(with({1, 1}, {1, 1, 1, 1}))},
        Case{"relu_row", {9, 6}, 9, 16, {1, 5}, behind_relu(with({2, 1}, {0, 2, 0, 2}))},
        // Winograd's, with tiles inside and at the borders.
        Case{"three", {13, 14}, 33, 31, {3, 3}, with_residual(with({1, 1}, {1, 1, 1, 1}))},
        // Activations of some filters: around a register and a panel of them.
        Case{"relu_of_1", {3, 5}, 16, 33, {1, 1}, partly(1, kPointwise)},
        Case{"relu_of_15", {3, 5}, 16, 33, {1, 1}, partly(15, kPointwise)},
        Case{"relu_of_16", {3, 5}, 16, 33, {1, 1}, partly(16, with_residual(kPointwise))},
        Case{"relu_of_17", {15, 1}, 16, 33, {1, 1}, partly(17, kPointwise)},
        Case{"clip_of_32",
             {5, 6},
             8,
             47,
             {1, 1},
             partly(32, with_residual(with({2, 2}, {0, 0, 0, 0}, kClip)))},
        Case{"clip_of_33", {6, 7}, 9, 48, {3, 3}, partly(33, with({1, 1}, {1, 1, 1, 1}, kClip))},
        Case{"relu_of_20_windows", {6, 7}, 5, 40, {5, 3}, partly(20, with({2, 1}, {2, 1, 2, 1}))},
        Case{"winograd_relu_of_20",
             {13, 14},
             33,
             47,
             {3, 3},
             partly(20, with_residual(with({1, 1}, {1, 1, 1, 1})))},
        Case{"groups_relu_of_60",
             {8, 9},
             48,
             96,
             {5, 5},
             partly(60, grouped(with({1, 1}, {2, 2, 2, 2}), 2))},
        Case{"depthwise_clip_of_17",
             {9, 9},
             33,
             33,
             {3, 3},
             partly(17, grouped(with({1, 1}, {1, 1, 1, 1}, kClip), 33))},
        // Groups, and one filter a channel.
        Case{"groups", {8, 9}, 48, 96, {5, 5}, grouped(with({1, 1}, {2, 2, 2, 2}), 2)},
        Case{"groups_of_17",
             {6, 6},
             51,
             51,
             {3, 3},
             grouped(with_residual(with({1, 1}, {1, 1, 1, 1})), 3)},
        Case{"depthwise_1", {5, 5}, 1, 1, {3, 3}, grouped(kPointwise, 1)},
        Case{"depthwise_15", {7, 9}, 15, 15, {3, 3}, grouped(with({1, 1}, {1, 1, 1, 1}), 15)},
        Case{"depthwise_16", {4, 4}, 16, 16, {3, 3}, grouped(with({1, 1}, {1, 1, 1, 1}), 16)},
        Case{"depthwise_33",
             {9, 14},
             33,
             33,
             {3, 3},
             behind_relu(grouped(with({2, 2}, {0, 1, 1, 0}, kClip), 33))},
        Case{"depthwise_wide", {6, 21}, 31, 31, {5, 3}, grouped(kPointwise, 31)},
        Case{"depthwise_5x5",
             {9, 9},
             17,
             17,
             {5, 5},
             behind_relu(grouped(with({1, 1}, {2, 2, 2, 2}), 17))},
        Case{"depthwise_dilated",
             {13, 12},
             20,
             20,
             {3, 3},
             grouped(dilated(with({1, 1}, {2, 2, 2, 2}), {2, 2}), 20)},
        Case{"depthwise_one_column",
             {6, 1},
             16,
             16,
             {3, 3},
             grouped(with({1, 1}, {1, 1, 1, 1}), 16)},
        Case{"one_column", {19, 1}, 16, 32, {3, 1}, with({2, 1}, {1, 0, 1, 0})}),
    [](const auto& test) { return test.param.name; });

TEST(DirectTactics, AreNotForCurvedActivations) {
  const auto backend = make_cpu_backend();
  Conv2d tanh = kPlain;
  tanh.activation = {.kind = ActivationKind::kTanh};
  const Graph graph = network({"", {4, 4}, 16, 16, {1, 1}, tanh});
  const OpSite site = test::sites_of(graph, 1).at(0);

  const std::vector<Tactic> tactics = backend->tactics(site);

  EXPECT_TRUE(std::none_of(tactics.begin(), tactics.end(), is_direct));
  test::expect_equal_to_definition(*backend, site, 1e-3F);
}

// oneDNN applies what it applies to all channels.
TEST(DirectTactics, AreTheOnlyOnesForActivationsOfSomeChannels) {
  if (!has_avx512()) GTEST_SKIP() << "this processor has no AVX-512";
  const auto backend = make_cpu_backend();
  for (const std::array<std::int64_t, 2> kernel : {std::array<std::int64_t, 2>{1, 1}, {3, 3}}) {
    const Graph graph = network({"", {8, 8}, 16, 48, kernel, partly(32, kPointwise)});

    const std::vector<Tactic> tactics = backend->tactics(test::sites_of(graph, 2).at(0));

    ASSERT_FALSE(tactics.empty());
    for (const Tactic& tactic : tactics) {
      EXPECT_TRUE(is_direct(tactic) || tactic.name.starts_with("winograd:")) << tactic.name;
    }
  }
}

}  // namespace
}  // namespace fovea
