// Tactics of the backend that is tested, with their operands dense and inside of larger buffers,
// against the operator's definition.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "tests/backend/half_graph.h"
#include "tests/backend/tactic_slices.h"
#include "tests/gpu/tested_backend.h"
#include "tests/support/strided.h"

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

Graph dense(const Size& size) {
  Graph graph;
  const auto constant = [&](const Shape& shape, const char* name, std::uint64_t seed) {
    const test::Floats values = test::random_floats(num_elements(shape), seed);
    return graph.add(make_constant(shape, values), {}, name);
  };
  const Value x = graph.add(Input{{DType::kFloat32, {size.rows, size.inputs}}}, {}, "x");
  const Value w = constant({size.outputs, size.inputs}, "weights", 1);
  const Value b = constant({size.outputs}, "bias", 2);
  const Dense op{.bias = true, .activation = {.kind = ActivationKind::kRelu}};
  graph.mark_output(graph.add(op, {x, w, b}, "dense"), "y");
  return graph;
}

/// What a result may be off by.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
};

/// Products below 4, summed in float32; what is rounded before and behind, by precision.
Tolerance tolerance_of(Precision precision, std::int64_t inputs) {
  const auto count = static_cast<double>(inputs);
  Tolerance tolerance{count * count * 4 * 0x1p-24, 0};
  if (precision == Precision::kTf32) tolerance.absolute += count * 4 * 2 * 0x1p-11;
  if (precision == Precision::kFp16 || precision == Precision::kBf16) {
    const DType half = precision == Precision::kFp16 ? DType::kFloat16 : DType::kBFloat16;
    tolerance.relative = test::unit_in_the_last_place(half);
    tolerance.absolute += tolerance.relative;  // of a bias below 2
  }
  return tolerance;
}

/// Runs every tactic of the graph's Dense and returns their names.
std::vector<std::string> expect_definition(const Backend& backend,
                                           const Graph& graph,
                                           Precision precision,
                                           const Tolerance& tolerance) {
  std::vector<std::string> names;
  for (OpSite& site : test::sites_of(graph, 1)) {
    if (site.node.as<Dense>() == nullptr) continue;
    site.tf32 = precision == Precision::kTf32;
    const std::vector<test::Floats> inputs = test::values_of(site);
    const std::vector<test::Floats> want = test::evaluated(site, inputs);
    const Layout slice = site.inputs[0];
    for (const Layout& input : {Layout{}, slice}) {
      site.inputs[0] = input;
      for (const Tactic& tactic : backend.tactics(site)) {
        names.push_back(tactic.name);
        std::vector<Layout> outputs{Layout{}};
        if (tactic.writes_slices) outputs.push_back(test::slice_of(site.node.outputs[0]));
        for (const Layout& output : outputs) {
          SCOPED_TRACE(cat(tactic.name, " of ", to_string(site.input(0))));
          const auto got = test::run_tactic(backend, site, tactic, {output}, inputs);
          test::expect_near(got[0], want[0], tolerance.absolute, tolerance.relative);
        }
      }
    }
  }
  return names;
}

TEST(Tactics, OfDenseLayersEqualTheDefinition) {
  const std::unique_ptr<Backend> backend = selftest::make_tested_backend();
  const bool has_cublaslt = backend->fingerprint().find("; cuBLASLt ") != std::string::npos;
  for (const Precision precision :
       {Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
    if (!backend->traits().computes_in(precision)) continue;
    for (const Size& size : kSizes) {
      SCOPED_TRACE(cat(to_string(precision), ' ', size.rows, " rows"));
      Graph graph = dense(size);
      if (precision == Precision::kFp16) graph = test::in_half(graph, DType::kFloat16);
      if (precision == Precision::kBf16) graph = test::in_half(graph, DType::kBFloat16);

      const std::vector<std::string> names =
          expect_definition(*backend, graph, precision, tolerance_of(precision, size.inputs));

      EXPECT_GE(names.size(), 2U);
      EXPECT_EQ(std::ranges::any_of(names,
                                    [](const auto& name) { return name.starts_with("cublaslt:"); }),
                has_cublaslt);
    }
  }
}

}  // namespace
}  // namespace fovea
