// Which values are places, from the graph and the target alone.
#include "engine/plan/placement.h"

#include <gtest/gtest.h>

#include "engine/passes/constants.h"

namespace fovea {
namespace {

constexpr TargetTraits kSlices{.writes_slices = true};

class PlacementTest : public testing::Test {
 protected:
  Value step(std::int64_t channels, const std::string& name) {
    const std::vector<float> weights(static_cast<std::size_t>(channels * 2));
    const Value w = graph_.add(make_constant({channels, 1, 1, 2}, weights), {}, name + "/w");
    return graph_.add(Conv2d{}, {x_, w}, name);
  }

  Value concat(std::vector<Value> inputs, const std::string& name, std::int64_t axis = 3) {
    return graph_.add(Concat{axis}, std::move(inputs), name);
  }

  static std::optional<Home> home(NodeId whole, std::int64_t offset) { return Home{whole, offset}; }

  Graph graph_;
  Value x_ = graph_.add(Input{{DType::kFloat32, {1, 3, 4, 2}}}, {}, "x");
};

TEST_F(PlacementTest, InputsOfAConcatAreItsSlices) {
  const Value a = step(3, "a");
  const Value b = step(5, "b");
  const Value all = concat({a, b}, "all");

  const Placement placement(graph_, kSlices);

  EXPECT_EQ(placement.kind(all.node), PlaceKind::kConcat);
  EXPECT_EQ(placement.home(a), home(all.node, 0));
  EXPECT_EQ(placement.home(b), home(all.node, 3));
  EXPECT_EQ(placement.home(all), std::nullopt);
}

TEST_F(PlacementTest, NestedConcatsAreSlicesOfTheOutermost) {
  const Value a = step(3, "a");
  const Value b = step(5, "b");
  const Value c = step(7, "c");
  const Value d = step(1, "d");
  const Value inner = concat({a, b}, "inner");
  const Value middle = concat({c, inner}, "middle");
  const Value outer = concat({d, middle}, "outer");

  const Placement placement(graph_, kSlices);

  EXPECT_EQ(placement.home(d), home(outer.node, 0));
  EXPECT_EQ(placement.home(middle), home(outer.node, 1));
  EXPECT_EQ(placement.home(c), home(outer.node, 1));
  EXPECT_EQ(placement.home(inner), home(outer.node, 8));
  EXPECT_EQ(placement.home(a), home(outer.node, 8));
  EXPECT_EQ(placement.home(b), home(outer.node, 11));
  EXPECT_EQ(placement.home_of_input(inner.node, 1), Home(outer.node, 11));
}

TEST_F(PlacementTest, AValueHasOneHome) {
  const Value a = step(3, "a");
  const Value b = step(5, "b");
  const Value twice = concat({a, a}, "twice");
  const Value later = concat({b, a}, "later");

  const Placement placement(graph_, kSlices);

  EXPECT_EQ(placement.home(a), home(twice.node, 0));
  EXPECT_EQ(placement.obstacle(twice.node, 0), "");
  EXPECT_EQ(placement.obstacle(twice.node, 1), "it lies in 'twice' already");
  EXPECT_EQ(placement.obstacle(later.node, 0), "");
  EXPECT_EQ(placement.obstacle(later.node, 1), "it lies in 'twice' already");
}

TEST_F(PlacementTest, OtherUsesDoNotTakeAHomeAway) {
  const Value a = step(3, "a");
  const Value all = concat({a, step(2, "b")}, "all");
  graph_.add(Relu{}, {a}, "reader");
  graph_.mark_output(a);

  EXPECT_EQ(Placement(graph_, kSlices).home(a), home(all.node, 0));
}

TEST_F(PlacementTest, InputsAndViewsStayWhereTheyAre) {
  const Value view = graph_.add(Identity{}, {step(3, "a")}, "view");
  const Value all = concat({x_, view}, "all");

  const Placement placement(graph_, kSlices);

  EXPECT_EQ(placement.kind(view.node), PlaceKind::kView);
  EXPECT_EQ(placement.home(x_), std::nullopt);
  EXPECT_EQ(placement.home(view), std::nullopt);
  EXPECT_EQ(placement.obstacle(all.node, 0), "it is an input of the network");
  EXPECT_EQ(placement.obstacle(all.node, 1), "it is a view of another value");
}

TEST_F(PlacementTest, AConcatThatIsNoPlaceIsAStepAndSaysWhy) {
  const Value a = step(3, "a");
  const Value rows = concat({a, a}, "rows", 1);
  const Value constant = graph_.add(make_constant({1, 3, 4, 1}, std::vector<float>(12)), {}, "c");
  const Value mixed = concat({a, constant}, "mixed");
  const Value plain = concat({a, a}, "plain");

  const Placement placement(graph_, kSlices);
  EXPECT_EQ(placement.why_step(rows.node), "it is not along the channels");
  EXPECT_EQ(placement.why_step(mixed.node), "an input is a constant");
  EXPECT_EQ(placement.why_step(plain.node), "");
  EXPECT_EQ(placement.kind(rows.node), PlaceKind::kStep);
  EXPECT_EQ(placement.kind(mixed.node), PlaceKind::kStep);

  const Placement without_slices(graph_, {});
  EXPECT_EQ(without_slices.kind(plain.node), PlaceKind::kStep);
  EXPECT_EQ(without_slices.why_step(plain.node), "the backend has no channel slices");
  EXPECT_EQ(without_slices.home(a), std::nullopt);
}

TEST_F(PlacementTest, ASliceOfTheChannelsIsAPlaceWithoutAHome) {
  const Value a = step(5, "a");
  const Value channels = graph_.add(Slice{.axis = 3, .begin = 1, .size = 2}, {a}, "channels");
  const Value rows = graph_.add(Slice{.axis = 1, .begin = 1, .size = 2}, {a}, "rows");
  const Value all = concat({channels, a}, "all");

  const Placement placement(graph_, kSlices);

  EXPECT_EQ(placement.kind(channels.node), PlaceKind::kSlice);
  EXPECT_EQ(placement.kind(rows.node), PlaceKind::kStep);
  EXPECT_EQ(placement.why_step(rows.node), "it is not along the channels");
  EXPECT_EQ(placement.home(channels), std::nullopt);
  EXPECT_EQ(placement.obstacle(all.node, 0), "it is a slice of another value");
  EXPECT_EQ(Placement(graph_, {}).kind(channels.node), PlaceKind::kStep);
}

TEST_F(PlacementTest, AViewOfAConstantIsAStep) {
  const Value constant = graph_.add(make_constant({1, 6}, std::vector<float>(6)), {}, "c");
  const Value of_constant = graph_.add(Reshape{{1, 3, 2}}, {constant}, "of-constant");
  const Value of_input = graph_.add(Reshape{{1, 24}}, {x_}, "of-input");

  const Placement placement(graph_, {});

  EXPECT_EQ(placement.kind(of_constant.node), PlaceKind::kStep);
  EXPECT_EQ(placement.kind(of_input.node), PlaceKind::kView);
}

}  // namespace
}  // namespace fovea
