// Values that are only places, on the emulated CUDA backend: the same results as the reference, and
// no step where none is needed.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

class CudaPlacement : public testing::Test {
 protected:
  Value step(Value x, std::int64_t channels, const std::string& name) {
    const Shape shape{channels, 1, 1, graph_.desc(x).shape.back()};
    const Value w = graph_.add(
        make_constant(shape, test::random_floats(num_elements(shape), ++seed_)), {}, name + "/w");
    return graph_.add(Conv2d{}, {x, w}, name);
  }

  Value concat(std::vector<Value> inputs, const std::string& name) {
    return graph_.add(Concat{3}, std::move(inputs), name);
  }

  /// Compiles, and compares a batch of two with the reference.
  void run() {
    plan_ = compile_plan(graph_, make_cuda_emu_backend(), {.buckets = {2}});
    const test::NamedFloats inputs = test::random_inputs(graph_, 2, 11);
    const test::NamedFloats want = test::run_graph(graph_, make_reference_backend(), 2, inputs);
    const test::NamedFloats got = test::run_plan(plan_, 2, inputs);
    for (const auto& [name, values] : want) {
      ASSERT_EQ(got.at(name).size(), values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        // A few sums of at most 16 products of values below 100, in float32.
        ASSERT_NEAR(got.at(name)[i], values[i], 1e-3F) << name << " at element " << i;
      }
    }
  }

  [[nodiscard]] std::int64_t steps(std::string_view tactic) const {
    return std::ranges::count(plan_->buckets[0].steps, tactic, &PlannedStep::tactic);
  }

  [[nodiscard]] bool reports(std::string_view node, bool taken, std::string_view reason) const {
    return std::ranges::any_of(plan_->report.decisions(), [&](const Decision& decision) {
      return decision.node == node && decision.taken == taken && decision.reason == reason;
    });
  }

  Graph graph_;
  Value x_ = graph_.add(Input{{DType::kFloat32, {kBatch, 3, 5, 2}}}, {}, "x");
  std::shared_ptr<const ExecutionPlan> plan_;
  std::uint64_t seed_ = 0;
};

TEST_F(CudaPlacement, NestedConcatsNeedNoCopy) {
  const Value inner = concat({step(x_, 3, "a"), step(x_, 5, "b")}, "inner");
  const Value middle = concat({step(inner, 2, "c"), inner}, "middle");
  const Value outer = concat({step(middle, 1, "d"), middle}, "outer");
  graph_.mark_output(step(outer, 4, "y"));

  run();

  EXPECT_EQ(steps("copy"), 0) << to_string(*plan_);
  EXPECT_EQ(plan_->buckets[0].steps.size(), 5U) << to_string(*plan_);
  EXPECT_TRUE(reports("outer", true, "2 of 2 inputs are written in place"));
}

TEST_F(CudaPlacement, AValueOfTwoConcatsIsCopiedIntoTheSecond) {
  const Value a = step(x_, 3, "a");
  const Value first = concat({a, step(x_, 5, "b")}, "first");
  const Value second = concat({step(x_, 2, "c"), a, a}, "second");
  graph_.mark_output(step(first, 4, "y"));
  graph_.mark_output(step(second, 4, "z"));

  run();

  EXPECT_EQ(steps("copy"), 2) << to_string(*plan_);
  EXPECT_TRUE(reports("second", false, "'a' is copied: it lies in 'first' already"));
  EXPECT_TRUE(reports("second", true, "1 of 3 inputs are written in place"));
}

TEST_F(CudaPlacement, OthersReadTheSlice) {
  const Value a = step(x_, 3, "a");
  const Value pooled =
      graph_.add(MaxPool{.kernel = {3, 3}, .strides = {1, 1}, .pads = {1, 1, 1, 1}}, {a}, "pooled");
  const Value all = concat({a, pooled, step(a, 4, "b")}, "all");
  graph_.mark_output(step(all, 4, "y"));
  graph_.mark_output(step(a, 2, "z"));

  run();

  EXPECT_EQ(steps("copy"), 0) << to_string(*plan_);
}

TEST_F(CudaPlacement, ASliceThatLeavesIsCopiedOnce) {
  const Value a = step(x_, 3, "a");
  const Value all = concat({a, step(x_, 4, "b")}, "all");
  graph_.mark_output(a);
  graph_.mark_output(a, "again");
  graph_.mark_output(step(all, 4, "y"));

  run();

  EXPECT_EQ(steps("copy"), 1) << to_string(*plan_);
}

TEST_F(CudaPlacement, AnInputOfTheNetworkIsCopiedIntoAConcat) {
  const Value all = concat({x_, step(x_, 4, "b")}, "all");
  graph_.mark_output(step(all, 4, "y"));

  run();

  EXPECT_EQ(steps("copy"), 1) << to_string(*plan_);
  EXPECT_TRUE(reports("all", false, "'x' is copied: it is an input of the network"));
}

TEST_F(CudaPlacement, ATacticThatWritesNoSlicesIsNamed) {
  const Value pooled = graph_.add(GlobalPool{}, {x_}, "pooled");
  const Value all = graph_.add(Concat{1}, {pooled, graph_.add(Relu{}, {pooled}, "r")}, "all");
  graph_.mark_output(graph_.add(Relu{}, {all}, "y"));

  run();

  EXPECT_TRUE(reports("all", false, "'pooled' is copied: tactic global-pool writes no slices"));
}

TEST_F(CudaPlacement, ViewsOfDenseValuesAreNoSteps) {
  const Value flat = graph_.add(Reshape{{kBatch, 30}}, {x_}, "flat");
  const Value back = graph_.add(Reshape{{kBatch, 5, 3, 2}}, {flat}, "back");
  graph_.mark_output(flat);
  graph_.mark_output(back);
  graph_.mark_output(step(back, 4, "y"));

  run();

  EXPECT_EQ(plan_->buckets[0].steps.size(), 1U) << to_string(*plan_);
}

TEST_F(CudaPlacement, AViewOfASliceIsConvertedFirst) {
  const Value a = step(x_, 3, "a");
  const Value all = concat({a, step(x_, 4, "b")}, "all");
  const Value flat = graph_.add(Reshape{{kBatch, 45}}, {a}, "flat");
  graph_.mark_output(graph_.add(Relu{}, {flat}, "z"));
  graph_.mark_output(step(all, 4, "y"));

  run();

  EXPECT_EQ(steps("copy"), 1) << to_string(*plan_);
  EXPECT_TRUE(reports("flat", false, "its input is converted first: it is slice +0/7"));
}

TEST_F(CudaPlacement, ReadersOfASliceReadTheWholeBuffer) {
  // What horizontal fusion makes: one wide convolution, whose readers take their channels.
  const Value wide = step(x_, 9, "wide");
  const auto part = [&](Value x, std::int64_t begin, std::int64_t size, const std::string& name) {
    return graph_.add(Slice{.axis = 3, .begin = begin, .size = size}, {x}, name);
  };
  const Value left = part(wide, 0, 4, "left");
  const Value right = part(wide, 4, 5, "right");
  const Value nested = part(right, 1, 3, "nested");
  const Value whole = part(wide, 0, 9, "whole");
  const Value sum = graph_.add(Add{}, {step(left, 3, "a"), nested}, "sum");
  graph_.mark_output(step(sum, 2, "y"));
  graph_.mark_output(step(right, 2, "z"));
  graph_.mark_output(step(whole, 2, "w"));

  run();

  EXPECT_EQ(steps("copy"), 0) << to_string(*plan_);
  EXPECT_EQ(steps("slice:copy"), 0) << to_string(*plan_);
  EXPECT_TRUE(reports("nested", true, "is a place in 'right'"));
}

TEST_F(CudaPlacement, ASliceIsCopiedIntoAConcatAndToAnOutput) {
  const Value wide = step(x_, 7, "wide");
  const Value left = graph_.add(Slice{.axis = 3, .begin = 0, .size = 4}, {wide}, "left");
  const Value right = graph_.add(Slice{.axis = 3, .begin = 4, .size = 3}, {wide}, "right");
  const Value all = concat({right, step(left, 2, "b")}, "all");
  const Value again = graph_.add(Slice{.axis = 3, .begin = 2, .size = 2}, {all}, "again");
  graph_.mark_output(left);
  graph_.mark_output(step(again, 4, "y"));

  run();

  EXPECT_EQ(steps("copy"), 2) << to_string(*plan_);
  EXPECT_TRUE(reports("all", false, "'right' is copied: it is a slice of another value"));
}

TEST_F(CudaPlacement, NothingIsWrittenOverASliceThatIsReadLater) {
  const Value a = graph_.add(Add{}, {step(x_, 6, "l"), step(x_, 6, "r")}, "a");
  const Value part = graph_.add(Slice{.axis = 3, .begin = 2, .size = 3}, {a}, "part");
  const Value relu = graph_.add(Tanh{}, {graph_.add(Identity{}, {a}, "same")}, "tanh");
  graph_.mark_output(step(relu, 4, "y"));
  graph_.mark_output(step(part, 4, "z"));

  run();
}

TEST_F(CudaPlacement, NothingIsWrittenOverAViewThatIsReadLater) {
  // The Relu may lie where its input does, which the view shares.
  const Value a = step(x_, 4, "a");
  const Value b = graph_.add(Add{}, {a, step(x_, 4, "other")}, "b");
  const Value flat = graph_.add(Reshape{{kBatch, 60}}, {b}, "flat");
  const Value relu = graph_.add(Relu{}, {b}, "relu");
  const Value tanh = graph_.add(Tanh{}, {flat}, "tanh");
  graph_.mark_output(graph_.add(Relu{}, {tanh}, "last"));
  graph_.mark_output(step(relu, 4, "y"));

  run();
}

TEST_F(CudaPlacement, ValuesInPlaceTakeTheirViewsAlong) {
  // softmax lies where `wide` does, and so does its view.
  const Value wide = graph_.add(GlobalPool{}, {step(x_, 6, "a")}, "wide");
  const Value softmax = graph_.add(Softmax{}, {wide}, "softmax");
  const Value view = graph_.add(Reshape{{kBatch, 3, 2}}, {softmax}, "view");
  graph_.mark_output(graph_.add(Softmax{}, {view}, "y"));

  run();

  const BucketPlan& bucket = plan_->buckets[0];
  const auto step_of = [&](std::string_view name) {
    return *std::ranges::find(bucket.steps, name, &PlannedStep::name);
  };
  EXPECT_EQ(step_of("softmax").inputs, step_of("wide").outputs);
  EXPECT_EQ(bucket.slots[step_of("softmax").outputs[0]].offset,
            bucket.slots[step_of("wide").outputs[0]].offset);
}

}  // namespace
}  // namespace fovea
