// Which conversions a plan has.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "engine/plan/execution_plan.h"
#include "tests/unit/plan/fake_backend.h"

namespace fovea {
namespace {

using test::FakeBackend;
using Fault = test::FakeTactic::Fault;

/// Conversions of the value that a Tanh and a Sigmoid read, each in its format.
std::size_t conversions(const test::FakeTactic& tanh, const test::FakeTactic& sigmoid) {
  const auto backend = std::make_shared<FakeBackend>();
  backend->table["Tanh"] = {tanh};
  backend->table["Sigmoid"] = {sigmoid};
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {2, 8}}}, {}, "x");
  graph.mark_output(graph.add(Tanh{}, {x}, "tanh"));
  graph.mark_output(graph.add(Sigmoid{}, {x}, "sigmoid"));
  const auto plan = compile_plan(graph, backend, {});
  return static_cast<std::size_t>(
      std::ranges::count(plan->buckets[0].steps, std::string("copy"), &PlannedStep::tactic));
}

TEST(Lowering, ConvertsAValueOnceForReadersOfOneLayout) {
  EXPECT_EQ(conversions({"a", 1, Fault::kNone, "blocked"}, {"b", 1, Fault::kNone, "blocked"}), 1U);
}

TEST(Lowering, LayoutsThatReadTheSameMayDiffer) {
  test::FakeTactic padded{"b", 1, Fault::kNone, "blocked"};
  padded.padding = 64;

  EXPECT_EQ(conversions({"a", 1, Fault::kNone, "blocked"}, padded), 2U);
}

}  // namespace
}  // namespace fovea
