// The floors of steps, against numbers that were computed by hand.
#include "engine/plan/plan_floor.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"

namespace fovea {
namespace {

/// A million bytes or operations take a microsecond; a rate for every precision.
constexpr double kTera = 1e12;

const Ceilings kCeilings{.device = "test",
                         .bytes_per_s = 1 * kTera,
                         .fp32_flops = 1 * kTera,
                         .tf32_flops = 4 * kTera,
                         .half_flops = 8 * kTera};

Value constant(Graph& graph, const Shape& shape, const std::string& name) {
  const std::vector<float> values(static_cast<std::size_t>(num_elements(shape)), 0.5F);
  return graph.add(make_constant(shape, values), {}, name);
}

/// x [64] -> Dense to 32 -> Dense to 16.
std::shared_ptr<const ExecutionPlan> plan_in(Precision precision) {
  Graph graph;
  Value y = graph.add(Input{{DType::kFloat32, {kBatch, 64}}}, {}, "x");
  y = graph.add(Dense{}, {y, constant(graph, {32, 64}, "w1")}, "first");
  y = graph.add(Dense{}, {y, constant(graph, {16, 32}, "w2")}, "last");
  graph.mark_output(y);
  return compile_plan(graph, make_reference_backend(), {.buckets = {2}, .precision = precision});
}

/// Of the step of that name.
Floor floor_of(const ExecutionPlan& plan, std::string_view name) {
  const BucketPlan& bucket = plan.buckets.front();
  const std::vector<Cost> costs = step_costs(plan, bucket);
  const std::vector<Floor> floors = step_floors(plan, bucket, costs, kCeilings);
  const auto step = std::ranges::find(bucket.steps, name, &PlannedStep::name);
  return floors.at(static_cast<std::size_t>(step - bucket.steps.begin()));
}

TEST(PlanFloor, IsTheLargerOfBytesAndOperations) {
  const Floor floor = floor_of(*plan_in(Precision::kFp32), "first");

  EXPECT_DOUBLE_EQ(floor.bytes_us, 1e-6 * 4 * (2 * 64 + 2 * 32 + 32 * 64));
  EXPECT_DOUBLE_EQ(floor.flops_us, 1e-6 * 2 * 2 * 64 * 32);
  EXPECT_DOUBLE_EQ(floor.us(), floor.bytes_us);
  EXPECT_DOUBLE_EQ((Floor{.bytes_us = 1, .flops_us = 2}).us(), 2);
}

TEST(PlanFloor, OperationsRunAtTheRateOfTheirType) {
  const double flops_us = floor_of(*plan_in(Precision::kFp32), "first").flops_us;

  EXPECT_DOUBLE_EQ(floor_of(*plan_in(Precision::kFp16), "first").flops_us, flops_us / 8);
  EXPECT_DOUBLE_EQ(floor_of(*plan_in(Precision::kBf16), "first").flops_us, flops_us / 8);
  // The tail stays float32, whatever the rest is computed in.
  EXPECT_DOUBLE_EQ(floor_of(*plan_in(Precision::kFp16), "last").flops_us, flops_us / 4);
}

TEST(PlanFloor, ACastMovesItsBytesAndComputesNothing) {
  const Floor floor = floor_of(*plan_in(Precision::kFp16), "x/f16");

  EXPECT_DOUBLE_EQ(floor.bytes_us, 1e-6 * 2 * 64 * (4 + 2));
  EXPECT_DOUBLE_EQ(floor.flops_us, 0);
}

}  // namespace
}  // namespace fovea
