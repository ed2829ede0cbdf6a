// Tactics of the backend that is tested, with their operands dense and inside of larger buffers,
// against the operator's definition.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "tests/backend/half_graph.h"
#include "tests/backend/tactic_slices.h"
#include "tests/gpu/tested_backend.h"
#include "tests/kernels/exact_sum.h"

namespace fovea {
namespace {

struct Size {
  std::int64_t rows;
  std::int64_t inputs;
  std::int64_t outputs;
};

/// A few rows and many, of whole 16 bytes and of odd sizes.
constexpr std::array kSizes{
    Size{1, 512, 40}, Size{8, 264, 72}, Size{9, 135, 77}, Size{40, 264, 72}};

/// The 16-bit type of a precision that has one.
std::optional<DType> half_of(Precision precision) {
  if (precision == Precision::kFp16) return DType::kFloat16;
  if (precision == Precision::kBf16) return DType::kBFloat16;
  return std::nullopt;
}

/// Random values that the precision's operands hold exactly: how a tactic rounds them, or whether
/// it cuts them off, does not matter then.
test::Floats random_operand(const Shape& shape, Precision precision, std::uint64_t seed) {
  test::Floats values = test::random_floats(num_elements(shape), seed);
  if (precision == Precision::kTf32) {
    for (float& value : values) value = test::with_fraction_bits(value, 10);
  }
  if (const std::optional<DType> half = half_of(precision)) {
    const TensorDesc desc{*half, shape};
    values = test::to_floats({&desc, test::to_bytes(desc, values).data()});
  }
  return values;
}

/// A dense layer with a Relu.
struct Layer {
  Size size;
  Precision precision = Precision::kFp32;
  test::Floats x;
  test::Floats weights;
  test::Floats bias;  ///< also of 16 bits in those types: a tactic may hold it so
};

Layer layer_of(const Size& size, Precision precision) {
  return {.size = size,
          .precision = precision,
          .x = random_operand({size.rows, size.inputs}, precision, 1),
          .weights = random_operand({size.outputs, size.inputs}, precision, 2),
          .bias = random_operand({size.outputs}, precision, 3)};
}

Graph graph_of(const Layer& layer) {
  const auto& [rows, inputs, outputs] = layer.size;
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {rows, inputs}}}, {}, "x");
  const Value w = graph.add(make_constant({outputs, inputs}, layer.weights), {}, "weights");
  const Value b = graph.add(make_constant({outputs}, layer.bias), {}, "bias");
  const Dense op{.bias = true, .activation = {.kind = ActivationKind::kRelu}};
  graph.mark_output(graph.add(op, {x, w, b}, "dense"), "y");
  const std::optional<DType> half = half_of(layer.precision);
  return half ? test::in_half(graph, *half) : graph;
}

/// An output, and what its error is bounded by.
struct Output {
  double value = 0;
  double bound = 0;

  [[nodiscard]] bool is(double other) const { return std::abs(other - value) <= bound; }
};

/// Relu of the sums in double precision. Whatever the order of a tactic's additions in float32,
/// each is off by a share of at most all magnitudes: half a unit of the last place, or one where
/// tensor cores cut sums off. The result is rounded once.
std::vector<Output> outputs_of(const Layer& layer) {
  const std::optional<DType> half = half_of(layer.precision);
  const double sum_unit = layer.precision == Precision::kFp32 ? 0x1p-24 : 0x1p-23;
  const double result_unit = half ? test::unit_in_the_last_place(*half) / 2 : 0x1p-24;
  const auto inputs = static_cast<std::size_t>(layer.size.inputs);
  std::vector<Output> outputs;
  for (std::size_t row = 0; row < layer.x.size() / inputs; ++row) {
    for (std::size_t o = 0; o < layer.bias.size(); ++o) {
      test::ExactSum sum;
      for (std::size_t i = 0; i < inputs; ++i) {
        sum.add(double{layer.x[row * inputs + i]} * layer.weights[o * inputs + i]);
      }
      sum.add(layer.bias[o]);
      const double error = static_cast<double>(inputs + 1) * sum_unit * sum.magnitude;
      const double value = std::max(sum.value, 0.0);
      // The smallest positive half has an error of its own.
      outputs.push_back({value, error + result_unit * (value + error) + 0x1p-25});
    }
  }
  return outputs;
}

void expect_outputs(const test::Floats& got, const std::vector<Output>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(want[i].is(got[i])) << "element " << i << ": " << got[i] << " for " << want[i].value
                                    << ", bound " << want[i].bound;
  }
}

/// Runs every tactic of the layer and returns their names.
std::vector<std::string> expect_definition(const Backend& backend, const Layer& layer) {
  std::vector<std::string> names;
  const Graph graph = graph_of(layer);
  const std::vector<Output> want = outputs_of(layer);
  for (OpSite& site : test::sites_of(graph, 1)) {
    if (site.node.as<Dense>() == nullptr) continue;
    site.tf32 = layer.precision == Precision::kTf32;
    const std::vector<test::Floats> inputs{layer.x, layer.weights, layer.bias};
    const Layout slice = site.inputs[0];
    for (const Layout& input : {Layout{}, slice}) {
      site.inputs[0] = input;
      for (const Tactic& tactic : backend.tactics(site)) {
        names.push_back(tactic.name);
        std::vector<Layout> outputs{Layout{}};
        if (tactic.writes_slices) outputs.push_back(test::slice_of(site.node.outputs[0]));
        for (const Layout& output : outputs) {
          SCOPED_TRACE(cat(tactic.name, " of ", to_string(site.input(0))));
          expect_outputs(test::run_tactic(backend, site, tactic, {output}, inputs)[0], want);
        }
      }
    }
  }
  return names;
}

constexpr std::array kPrecisions{
    Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16};

TEST(Tactics, OfDenseLayersEqualTheDefinition) {
  const std::unique_ptr<Backend> backend = selftest::make_tested_backend();
  const bool has_cublaslt = backend->fingerprint().find("; cuBLASLt ") != std::string::npos;
  for (const Precision precision : kPrecisions) {
    if (!backend->traits().computes_in(precision)) continue;
    for (const Size& size : kSizes) {
      SCOPED_TRACE(cat(to_string(precision), ' ', size.rows, " rows"));

      const std::vector<std::string> names = expect_definition(*backend, layer_of(size, precision));

      EXPECT_GE(names.size(), 2U);
      EXPECT_EQ(std::ranges::any_of(names,
                                    [](const auto& name) { return name.starts_with("cublaslt:"); }),
                has_cublaslt);
    }
  }
}

// Bounds that hide a mistake are none: what is left out of a sum leaves most of them.
TEST(Tactics, BoundsOfDenseLayersTellWhatIsLeftOut) {
  for (const Precision precision : kPrecisions) {
    for (const Size& size : kSizes) {
      SCOPED_TRACE(cat(to_string(precision), ' ', size.rows, " rows"));
      const Layer layer = layer_of(size, precision);
      Layer no_bias = layer;
      std::ranges::fill(no_bias.bias, 0.0F);
      Layer one_input_less = layer;
      const auto inputs = static_cast<std::size_t>(size.inputs);
      for (std::size_t row = 0; row < layer.x.size(); row += inputs) one_input_less.x[row] = 0.0F;

      const std::vector<Output> outputs = outputs_of(layer);

      for (const Layer& wrong : {no_bias, one_input_less}) {
        const std::vector<Output> others = outputs_of(wrong);
        std::size_t positive = 0;
        std::size_t told = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          if (outputs[i].value > 0) ++positive;
          if (outputs[i].value > 0 && !outputs[i].is(others[i].value)) ++told;
        }
        EXPECT_GT(positive, 0U);
        EXPECT_GE(4 * told, 3 * positive);
      }
    }
  }
}

}  // namespace
}  // namespace fovea
