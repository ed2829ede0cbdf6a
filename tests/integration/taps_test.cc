// Values inside a network as further outputs of its plan.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/compiler.h>
#include <fovea/plan.h>

#include "engine/api/model_graph.h"
#include "engine/graph/graph.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

/// A constant that is added to itself again and again, and then to the input "x" as "y" and "z":
/// 2^40 ways lead from "z" to the first constant.
ModelGraph doubling_chain() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
  Value sum =
      graph.add(Constant{{DType::kFloat32, {2}}, Buffer::from(std::vector<std::byte>(8))}, {}, "c");
  for (int i = 0; i < 40; ++i) sum = graph.add(Add{}, {sum, sum}, "d" + std::to_string(i));
  const Value y = graph.add(Add{}, {x, sum}, "y");
  graph.mark_output(graph.add(Add{}, {y, sum}, "z"));
  return ModelGraphAccess::wrap(std::move(graph));
}

std::vector<std::string> outputs(const ModelGraph& graph, const std::vector<std::string>& taps) {
  const auto plan = compile(graph, {.backend = "reference", .buckets = {1}, .taps = taps});
  std::vector<std::string> names;
  for (const TensorInfo& output : plan->outputs()) names.push_back(output.name);
  return names;
}

TEST(Taps, AllAreTheValuesThatDependOnAnInput) {
  EXPECT_EQ(outputs(doubling_chain(), {"all"}), (std::vector<std::string>{"z", "x", "y"}));
}

TEST(Taps, OfOneNameAreOneOutput) {
  EXPECT_EQ(outputs(doubling_chain(), {"y", "z", "y", "all"}),
            (std::vector<std::string>{"z", "y", "x"}));
}

TEST(Taps, AreNeverWeights) {
  for (const char* name : {"c", "d39"}) {
    test::expect_error(ErrorCode::kArgumentInvalid, std::string("'") + name + "' is a weight", [&] {
      (void)outputs(doubling_chain(), {name});
    });
  }
  test::expect_error(ErrorCode::kArgumentInvalid, "no value called 'absent'", [] {
    (void)outputs(doubling_chain(), {"absent"});
  });
}

}  // namespace
}  // namespace fovea
