// The CPU backend's own dense layers against the definition: sizes around the blocks and panels in
// which they compute, in float32 and bf16.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/weight_store.h"
#include "engine/passes/constants.h"
#include "tests/backend/tactic_slices.h"
#include "tests/support/strided.h"

namespace fovea {
namespace {

using test::Floats;

struct Case {
  std::string name;
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t units = 0;
  bool bias = true;
  Activation activation{};
  bool units_last = false;  ///< the weights are stored as {inputs, units}

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

constexpr Activation kRelu{.kind = ActivationKind::kRelu};
constexpr Activation kClip{.kind = ActivationKind::kClip, .lo = -3.0F, .hi = 6.0F};

/// Random values that are bf16, so that packing them in either type changes nothing.
std::vector<float> random_bf16(std::int64_t count, std::uint64_t seed) {
  std::vector<float> values = test::random_floats(count, seed);
  for (float& value : values) {
    value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xFFFF0000U);
  }
  return values;
}

/// {inputs, units}, read as {units, inputs}.
Constant transposed(const Constant& constant) {
  const Shape& shape = constant.desc.shape;
  return {{constant.desc.dtype, {shape[1], shape[0]}}, constant.data, {1, shape[1]}};
}

Graph network(const Case& c, DType type) {
  Graph graph;
  std::vector<Value> inputs{graph.add(Input{{type, {c.rows, c.inputs}}}, {}, "x")};
  const Shape stored = c.units_last ? Shape{c.inputs, c.units} : Shape{c.units, c.inputs};
  const Constant weights = make_constant(stored, random_bf16(c.units * c.inputs, 11));
  inputs.push_back(graph.add(c.units_last ? transposed(weights) : weights, {}, "weights"));
  if (c.bias) {
    inputs.push_back(graph.add(make_constant({c.units}, random_bf16(c.units, 12)), {}, "bias"));
  }
  graph.mark_output(graph.add(Dense{c.bias, c.activation}, inputs, "dense"), "y");
  return graph;
}

/// Of a graph that stays.
OpSite site_of(const Graph& graph, int threads) {
  OpSite site = test::sites_of(graph, threads).at(0);
  std::fill(site.inputs.begin(), site.inputs.end(), Layout{});
  return site;
}

bool is_own(const Tactic& tactic) {
  return tactic.name.starts_with("dense:stream");
}

/// What each of our own tactics gives for these inputs.
std::vector<Floats> results_of(const Backend& backend,
                               const OpSite& site,
                               const std::vector<Floats>& inputs) {
  std::vector<Floats> results;
  for (const Tactic& tactic : backend.tactics(site)) {
    if (!is_own(tactic)) continue;
    results.push_back(test::run_tactic(backend, site, tactic, tactic.outputs, inputs).at(0));
  }
  return results;
}

class DenseLayers : public testing::TestWithParam<std::tuple<Case, DType>> {
 protected:
  void SetUp() override {
    const Graph graph = network(layer(), type());
    if (!is_own(backend_->tactics(site_of(graph, 1)).at(0))) {
      ASSERT_FALSE(type() == DType::kFloat32 ? has_avx512()
                                             : bf16_support() == Bf16Support::kNative);
      GTEST_SKIP() << "this processor lacks the instructions";
    }
  }

  [[nodiscard]] static const Case& layer() { return std::get<0>(GetParam()); }

  [[nodiscard]] static DType type() { return std::get<1>(GetParam()); }

  const std::unique_ptr<Backend> backend_ = make_cpu_backend();
};

TEST_P(DenseLayers, EqualTheDefinition) {
  const Graph graph = network(layer(), type());
  // Sums of products with a standard deviation of 4/3 each, in float32 in an order of their own.
  const double tolerance = 4e-5 * std::sqrt(static_cast<double>(layer().inputs)) * 4.0 / 3.0;
  // A sum that ends on the other side of a tie: a unit in the last place.
  const double relative = type() == DType::kBFloat16 ? 0x1p-7 : 0.0;
  for (const int threads : {1, 2, 3}) {
    SCOPED_TRACE(threads);
    const OpSite site = site_of(graph, threads);
    const std::vector<Floats> inputs = test::values_of(site);
    const Floats want = test::evaluated(site, inputs).at(0);

    const std::vector<Floats> results = results_of(*backend_, site, inputs);

    ASSERT_EQ(results.size(), threads == 1 ? 1U : 2U);
    for (const Floats& got : results) {
      test::expect_near(got, want, static_cast<float>(tolerance), relative);
    }
  }
}

TEST_P(DenseLayers, GiveARowTheSameBitsInEveryBatchAndOnEveryNumberOfThreads) {
  const Graph all = network(layer(), type());
  Case single = layer();
  single.rows = 1;
  const Graph one = network(single, type());
  const OpSite site = site_of(one, 1);
  std::vector<Floats> inputs = test::values_of(site_of(all, 1));
  const Floats x = inputs[0];
  Floats want;
  for (std::int64_t row = 0; row < layer().rows; ++row) {
    const auto first = x.begin() + row * layer().inputs;
    inputs[0] = Floats(first, first + layer().inputs);
    const Floats y = results_of(*backend_, site, inputs).at(0);
    want.insert(want.end(), y.begin(), y.end());
  }
  inputs[0] = x;

  for (const int threads : {1, 2, 4}) {
    for (const Floats& got : results_of(*backend_, site_of(all, threads), inputs)) {
      EXPECT_EQ(got, want) << threads << " threads";
    }
  }
}

// A register has 16 units, a panel 32; a call takes 14 rows; a block has 512 words, of which bf16
// puts two values into one.
INSTANTIATE_TEST_SUITE_P(
    Sizes,
    DenseLayers,
    testing::Combine(testing::Values(Case{"one_element", 1, 1, 1},
                                     Case{"one_unit", 3, 5, 1, false},
                                     Case{"a_register_and_one", 2, 16, 17, true, kRelu},
                                     Case{"less_than_a_panel", 4, 3, 31, true, kClip},
                                     Case{"a_panel", 13, 511, 32},
                                     Case{"a_panel_and_one", 14, 512, 33, false, kRelu},
                                     Case{"a_block_and_one", 15, 513, 65},
                                     Case{"a_block_of_bf16", 28, 1023, 40},
                                     Case{"a_block_of_bf16_and_one", 29, 1025, 96, true, {}, true},
                                     Case{"several_blocks", 5, 2600, 200, true, kRelu, true},
                                     Case{"more_threads_than_panels", 43, 40, 64, true, {}, true}),
                     testing::Values(DType::kFloat32, DType::kBFloat16)),
    [](const auto& test) {
      return std::get<0>(test.param).name + "_" + std::string(to_string(std::get<1>(test.param)));
    });

TEST(DenseWeights, AreRoundedToTheNearestBf16) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  // 1 + 3/256 lies between two bf16, halfway: the even one is above. 1 + 1/256: it is below.
  const std::vector<float> values{1.01171875F, 1.00390625F, 1.0040F, -1.0118F};
  Graph graph;
  const Value x = graph.add(Input{{DType::kBFloat16, {1, 1}}}, {}, "x");
  const Value w = graph.add(make_constant({4, 1}, values), {}, "w");
  graph.mark_output(graph.add(Dense{}, {x, w}, "dense"), "y");
  const OpSite site = site_of(graph, 1);
  std::vector<Floats> inputs = test::values_of(site);
  inputs[0] = {1.0F};

  const std::vector<Floats> results = results_of(*backend, site, inputs);

  if (results.empty()) GTEST_SKIP() << "this processor has no bf16";
  EXPECT_EQ(results[0], (Floats{1.015625F, 1.0F, 1.0078125F, -1.015625F}));
}

TEST(DenseLayer, NoActivationHidesANan) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  for (const DType type : {DType::kFloat32, DType::kBFloat16}) {
    const Graph graph = network({"", 2, 8, 4, true, kClip}, type);
    const OpSite site = site_of(graph, 1);
    std::vector<Floats> inputs = test::values_of(site);
    inputs[0][3] = std::nanf("");

    for (const Floats& got : results_of(*backend, site, inputs)) {
      for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(std::isnan(got[i]), i < 4) << i;
    }
  }
}

TEST(DenseLayer, WithAnotherActivationIsTheLibrarys) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Graph graph =
      network({"", 2, 8, 4, true, {.kind = ActivationKind::kTanh}}, DType::kFloat32);

  const auto tactics = backend->tactics(site_of(graph, 1));

  ASSERT_EQ(tactics.size(), 1U);
  EXPECT_TRUE(tactics[0].name.starts_with("onednn:"));
}

}  // namespace
}  // namespace fovea
