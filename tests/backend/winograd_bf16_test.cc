// Winograd convolutions of bf16 pictures against the definition: sums are float32 inside, results
// are rounded once.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/library.h"
#include "engine/passes/constants.h"
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
  Pads pads{1, 1, 1, 1};
  bool bias = true;
  bool residual = false;
  Activation activation{};
  std::int64_t kernel = 3;  ///< rows and columns

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

/// One convolution on bf16 pictures of random values in [-2, 2), with weights from the same range.
Graph network(const Case& c, std::int64_t batch) {
  const Conv2d conv{
      .pads = c.pads, .bias = c.bias, .residual = c.residual, .activation = c.activation};
  return test::one_convolution({batch, c.picture[0], c.picture[1], c.channels},
                               {c.kernel, c.kernel},
                               c.filters,
                               conv,
                               1,
                               DType::kBFloat16);
}

bool is_winograd(const Tactic& tactic) {
  return tactic.name.starts_with("winograd:");
}

class WinogradBf16 : public testing::Test {
 protected:
  void SetUp() override {
    if (bf16_support() == Bf16Support::kNone || bf16_support() == Bf16Support::kTiles) {
      GTEST_SKIP() << "this processor has no bf16, or does without Winograd";
    }
  }

  const std::unique_ptr<Backend> backend_ = make_cpu_backend();
};

class WinogradBf16Shapes : public WinogradBf16, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    WinogradBf16::SetUp();
    if (GetParam().kernel != 3 && bf16_support() == Bf16Support::kNative) {
      GTEST_SKIP() << "instructions for bf16 are faster on other kernels than 3x3";
    }
  }
};

TEST_P(WinogradBf16Shapes, EqualsTheDefinitionInsideOfLargerBuffers) {
  // As for float32 (winograd_test.cc), and a unit in the last place where that crosses a tie.
  const std::int64_t taps = GetParam().kernel * GetParam().kernel;
  const auto terms = static_cast<double>(taps * GetParam().channels);
  const Graph graph = network(GetParam(), 3);
  for (const int threads : {1, 2}) {
    SCOPED_TRACE(threads);
    const OpSite site = test::sites_of(graph, threads).at(0);
    const std::vector<Floats> inputs = test::values_of(site);
    const Floats want = test::evaluated(site, inputs).at(0);
    std::size_t count = 0;
    for (const Tactic& tactic : backend_->tactics(site)) {
      if (!is_winograd(tactic)) continue;
      ++count;
      EXPECT_EQ(tactic.inputs[0], test::slice_of(site.input(0)));
      const std::vector<Layout> outputs{test::slice_of(site.node.outputs[0])};

      const Floats got = test::run_tactic(*backend_, site, tactic, outputs, inputs).at(0);

      test::expect_near(got, want, 4e-5 * std::sqrt(terms) * 4.0 / 3.0, 0x1p-7);
      std::size_t different = 0;
      for (std::size_t i = 0; i < want.size(); ++i) different += got[i] == want[i] ? 0U : 1U;
      EXPECT_LE(different, 1 + want.size() / 50) << "elements that are not the nearest bf16";
    }
    EXPECT_GE(count, 1U);
  }
}

TEST_P(WinogradBf16Shapes, GivesAPictureTheSameBitsInEveryBatchAndOnEveryNumberOfThreads) {
  const Graph all = network(GetParam(), 3);
  const Graph one = network(GetParam(), 1);
  const std::vector<Floats> inputs = test::values_of(test::sites_of(all, 1).at(0));
  const auto results = [&](const OpSite& site, const std::vector<Floats>& values) {
    std::vector<Floats> found;
    for (const Tactic& tactic : backend_->tactics(site)) {
      if (!is_winograd(tactic)) continue;
      found.push_back(test::run_tactic(*backend_, site, tactic, tactic.outputs, values).at(0));
    }
    return found;
  };
  const OpSite single = test::sites_of(one, 1).at(0);
  Floats want;
  for (std::ptrdiff_t picture = 0; picture < 3; ++picture) {
    std::vector<Floats> values = inputs;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (single.constant(i) != nullptr) continue;
      const auto size = static_cast<std::ptrdiff_t>(inputs[i].size()) / 3;
      const auto first = inputs[i].begin() + picture * size;
      values[i] = Floats(first, first + size);
    }
    const Floats y = results(single, values).at(0);
    want.insert(want.end(), y.begin(), y.end());
  }

  for (const int threads : {1, 2, 4}) {
    for (const Floats& got : results(test::sites_of(all, threads).at(0), inputs)) {
      EXPECT_EQ(got, want) << threads << " threads";
    }
  }
}

// Heights and widths around multiples of a tile where little of it lies outside, channels around
// multiples of a register.
INSTANTIATE_TEST_SUITE_P(
    Convolutions,
    WinogradBf16Shapes,
    testing::Values(Case{"exact_tiles", {8, 12}, 16, 16},
                    Case{"one_tile", {4, 4}, 16, 32, {1, 1, 1, 1}, true, true, kRelu},
                    Case{"valid", {14, 10}, 32, 16, {0, 0, 0, 0}, false, false, kRelu},
                    Case{"one_row_less", {15, 16}, 17, 33, {1, 1, 1, 1}, true, true, kClip},
                    Case{"asymmetric", {17, 30}, 33, 17, {0, 2, 1, 2}, true, true, {}},
                    Case{"odd_channels", {16, 15}, 47, 31, {1, 1, 1, 1}, false, true, kRelu},
                    Case{"many_channels", {8, 8}, 272, 48, {1, 1, 1, 1}, true, false, {}},
                    Case{"many_filters", {8, 8}, 64, 304, {1, 1, 1, 1}, true, true, kRelu},
                    Case{"five", {8, 10}, 33, 17, {2, 2, 2, 2}, true, true, kClip, 5},
                    Case{"five_valid", {15, 12}, 16, 48, {0, 0, 0, 0}, true, false, kRelu, 5}),
    [](const auto& test) { return test.param.name; });

TEST_F(WinogradBf16, LeavesPicturesThatFillTilesBadlyToNativeInstructions) {
  if (bf16_support() != Bf16Support::kNative) GTEST_SKIP() << "this processor has none";
  const Graph graph = network({"", {14, 14}, 64, 64}, 1);

  const auto tactics = backend_->tactics(test::sites_of(graph, 1).at(0));

  EXPECT_TRUE(std::none_of(tactics.begin(), tactics.end(), is_winograd));
}

TEST_F(WinogradBf16, ANanStaysOneWhateverItsBits) {
  // Rounded like a number, this one would become a zero.
  const auto nan = std::bit_cast<float>(0x7FFF'FFFFU);
  Graph graph;
  const Value x = graph.add(Input{{DType::kBFloat16, {1, 4, 4, 16}}}, {}, "x");
  const Value w = graph.add(
      make_constant({16, 3, 3, 16}, test::random_floats(std::int64_t{16} * 9 * 16, 1)), {}, "w");
  const Value bias = graph.add(make_constant({16}, std::vector<float>(16, nan)), {}, "bias");
  const Conv2d conv{.pads = {1, 1, 1, 1}, .bias = true, .activation = kClip};
  graph.mark_output(graph.add(conv, {x, w, bias}, "conv"), "y");
  const OpSite site = test::sites_of(graph, 1).at(0);

  const Tactic tactic = backend_->tactics(site).at(0);
  const Floats got =
      test::run_tactic(*backend_, site, tactic, tactic.outputs, test::values_of(site)).at(0);

  ASSERT_TRUE(is_winograd(tactic));
  for (const float value : got) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace fovea
