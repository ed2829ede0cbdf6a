// Drawings of plans: colours, and what the plan adds.
#include "engine/plan/plan_dot.h"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "tests/unit/plan/fake_backend.h"

namespace fovea {
namespace {

/// x -> a -> b, c, d; a's tactic writes a format that only b reads.
std::shared_ptr<const ExecutionPlan> plan_with_a_conversion() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 4}}}, {}, "x");
  const Value a = graph.add(Relu{}, {x}, "a");
  graph.mark_output(graph.add(Tanh{}, {a}, "b"));
  graph.mark_output(graph.add(Sigmoid{}, {a}, "c"));
  graph.mark_output(graph.add(Softmax{}, {a}, "d"));
  auto backend = std::make_shared<test::FakeBackend>();
  backend->table["Relu"] = {{.name = "relu", .output = "odd"}};
  backend->table["Tanh"] = {{.name = "tanh", .input = "odd"}};
  return compile_plan(graph, backend, {.buckets = {2}});
}

/// The statement that has the text, or "".
std::string statement(const std::string& drawing, const std::string& text) {
  std::istringstream lines(drawing);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(text) != std::string::npos) return line;
  }
  return {};
}

class PlanDot : public testing::Test {
 protected:
  /// a takes nearly all of the time, the conversion a twentieth of that, the others nothing.
  [[nodiscard]] std::string draw(PlotStage stage) const {
    const BucketPlan& bucket = plan_->buckets[0];
    std::vector<double> times(bucket.steps.size(), 0.0);
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (bucket.steps[i].node == kNoNode) times[i] = 100;
      if (bucket.steps[i].tactic == "relu") times[i] = 1900;
    }
    return plan_statements(*plan_, bucket, times, {.stage = stage});
  }

  /// "node3", by which edges name the node.
  [[nodiscard]] std::string id(const std::string& name) const {
    return "node" + std::to_string(plan_->graph.find(name));
  }

  std::shared_ptr<const ExecutionPlan> plan_ = plan_with_a_conversion();
};

TEST_F(PlanDot, ColoursEveryNodeByItsShareOfTheTime) {
  for (const PlotStage stage : {PlotStage::kOptimised, PlotStage::kPlan}) {
    const std::string drawing = draw(stage);

    const std::string a = statement(drawing, "<b>a</b> (Relu)");
    EXPECT_NE(a.find("#7f0000"), std::string::npos) << a;
    EXPECT_NE(a.find("color=\"white\""), std::string::npos) << a;
    EXPECT_NE(a.find("1.9 ms, 95.0 %"), std::string::npos) << a;
    const std::string c = statement(drawing, "<b>c</b> (Sigmoid)");
    EXPECT_NE(c.find("#ffffcc"), std::string::npos) << c;
    EXPECT_NE(c.find("color=\"black\""), std::string::npos) << c;
    EXPECT_NE(statement(drawing, "<b>x</b> (Input)").find("#e0e0e0"), std::string::npos) << drawing;
    EXPECT_EQ(drawing.find("Tactic") != std::string::npos, stage == PlotStage::kPlan);
  }
}

TEST_F(PlanDot, DrawsAConversionBetweenItsValueAndThoseWhoReadIt) {
  const std::string drawing = draw(PlotStage::kPlan);

  const std::string added = statement(drawing, "<b>a</b> (added)");
  ASSERT_NE(added, "") << drawing;
  EXPECT_NE(added.find("100.0 us, 5.0 %"), std::string::npos) << added;
  EXPECT_NE(added.find("#fed976"), std::string::npos) << added;
  const std::string step = added.substr(2, added.find(' ', 2) - 2);
  for (const auto& [from, to] : {std::pair(id("a"), step),
                                 std::pair(step, id("c")),
                                 std::pair(step, id("d")),
                                 std::pair(id("a"), id("b")),
                                 std::pair(id("x"), id("a"))}) {
    EXPECT_NE(statement(drawing, cat(from, " -> ", to, ";")), "") << from << ' ' << to;
  }
  EXPECT_EQ(statement(drawing, cat(id("a"), " -> ", id("c"), ";")), "") << drawing;
}

TEST_F(PlanDot, LeavesConversionsOutOfTheOptimisedGraph) {
  const std::string drawing = draw(PlotStage::kOptimised);

  EXPECT_EQ(drawing.find("(added)"), std::string::npos) << drawing;
  EXPECT_NE(statement(drawing, cat(id("a"), " -> ", id("c"), ";")), "") << drawing;
}

}  // namespace
}  // namespace fovea
