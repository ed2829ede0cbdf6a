// FOVEA_DISABLE_PASSES, from the environment down to the plan.
#include <cstdlib>
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

class DisabledPasses : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("FOVEA_DISABLE_PASSES"); }

  /// The steps of relu(x + x), on the CPU.
  static std::string summary(const char* disabled) {
    ::setenv("FOVEA_DISABLE_PASSES", disabled, 1);
    Graph graph;
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
    const Value same = graph.add(Identity{}, {x}, "same");
    const Value sum = graph.add(Add{}, {x, same}, "sum");
    graph.mark_output(graph.add(Relu{}, {sum}, "relu"));
    return compile(ModelGraphAccess::wrap(std::move(graph)), {.backend = "cpu", .buckets = {1}})
        ->summary();
  }
};

TEST_F(DisabledPasses, AreLeftOut) {
  EXPECT_NE(summary("").find("batch 1: 1 steps"), std::string::npos) << summary("");
  EXPECT_NE(summary("fuse-activation").find("batch 1: 2 steps"), std::string::npos);
  EXPECT_NE(summary("remove-no-ops,fuse-activation").find("batch 1: 2 steps"), std::string::npos);
}

TEST_F(DisabledPasses, LeaveBackendsTheirConstants) {
  ::setenv("FOVEA_DISABLE_PASSES", "fold-constants", 1);
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
  const TensorDesc desc{DType::kFloat32, {2, 3}};
  const Value stored = graph.add(
      Constant{desc, Buffer::from(std::vector<std::byte>(byte_size(desc)))}, {}, "stored");
  const Value weights = graph.add(Transpose{{1, 0}}, {stored}, "weights");
  graph.mark_output(graph.add(Dense{}, {x, weights}, "dense"));

  const auto plan =
      compile(ModelGraphAccess::wrap(std::move(graph)), {.backend = "cpu", .buckets = {1}});

  EXPECT_NE(plan->summary().find("batch 1: 1 steps"), std::string::npos) << plan->summary();
}

TEST_F(DisabledPasses, OfAnUnknownNameAreRefused) {
  test::expect_error(
      ErrorCode::kArgumentInvalid,
      "FOVEA_DISABLE_PASSES: no pass is called 'fold-pads'; there are drop-dead-nodes",
      [] { (void)summary("fuse-activation,fold-pads"); });
}

}  // namespace
}  // namespace fovea
