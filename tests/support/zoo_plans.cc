#include "tests/support/zoo_plans.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <fovea/model.h>

#include "engine/api/classify_graph.h"
#include "engine/api/model_graph.h"
#include "engine/core/require.h"
#include "engine/graph/layers.h"
#include "models/builders/zoo.h"
#include "tests/support/unbuilt_backend.h"

namespace fovea::test {

namespace {

std::size_t operators(const Graph& graph) {
  return static_cast<std::size_t>(std::ranges::count_if(graph.nodes(), [](const Node& node) {
    return node.as<Constant>() == nullptr && node.as<Input>() == nullptr;
  }));
}

const ZooPlan& plan_of(std::span<const ZooPlan> plans, std::string_view network) {
  const auto plan = std::ranges::find(plans, network, &ZooPlan::network);
  require(plan != plans.end(), "goals are those of all networks");
  return *plan;
}

Goal at_most(const ZooPlan& plan, std::size_t most) {
  return {plan.network,
          cat("at most ", most, " steps"),
          std::to_string(plan.steps),
          plan.steps <= most};
}

/// No step computes one of these, which others are to do on the way.
template <std::size_t Count>
Goal without(const ZooPlan& plan, const std::array<std::string_view, Count>& ops) {
  std::string aim;
  std::string got;
  std::size_t left = 0;
  for (const std::string_view op : ops) {
    aim += cat(aim.empty() ? "no step for " : " or ", op);
    got += cat(got.empty() ? "" : ", ", plan.count(op));
    left += plan.count(op);
  }
  return {plan.network, std::move(aim), std::move(got), left == 0};
}

Goal nothing_copied(const ZooPlan& plan) {
  const std::size_t copies = plan.copies + plan.count("Concat");
  return {plan.network, "no copy for a Concat", std::to_string(copies), copies == 0};
}

Goal tight_arena(std::span<const ZooPlan> plans) {
  constexpr double kMost = 1.05;
  double worst = 1;
  for (const ZooPlan& plan : plans) {
    worst = std::max(worst,
                     static_cast<double>(plan.arena_bytes) / static_cast<double>(plan.lower_bound));
  }
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.3f", worst);
  return {"all", "arena at most 1.05 of its bound", text.data(), worst <= kMost};
}

}  // namespace

std::size_t ZooPlan::count(std::string_view op) const {
  return static_cast<std::size_t>(std::ranges::count(computed, op));
}

ZooPlan zoo_plan(std::string_view network, std::unique_ptr<Backend> backend, std::int64_t batch) {
  const Model model = open_model(network, {.weights = "random"});
  const Graph served = served_graph(model);
  const auto plan = compile_plan(served,
                                 make_unbuilt_backend(std::move(backend)),
                                 {.buckets = {batch}, .threads = kZooThreads});
  const BucketPlan& bucket = plan->buckets.front();
  ZooPlan made{.network = std::string(network),
               .layers = layers(ModelGraphAccess::graph(model.graph())).size(),
               .operators = operators(served),
               .steps = bucket.steps.size(),
               .computed = {},
               .before = total(node_costs(with_batch(served, batch))),
               .after = total(step_costs(*plan, bucket)),
               .arena_bytes = bucket.arena_bytes,
               .lower_bound = bucket.lower_bound};
  for (const PlannedStep& step : bucket.steps) {
    if (step.node == kNoNode) {
      ++made.copies;
    } else {
      made.computed.emplace_back(op_name(plan->graph.node(step.node).op));
    }
  }
  return made;
}

std::vector<ZooPlan> zoo_plans(std::unique_ptr<Backend> (*make_backend)(), std::int64_t batch) {
  std::vector<ZooPlan> plans;
  for (const zoo::Model& entry : zoo::models()) {
    plans.push_back(zoo_plan(entry.name, make_backend(), batch));
  }
  return plans;
}

std::vector<Goal> goals(std::span<const ZooPlan> plans) {
  return {at_most(plan_of(plans, "resnet50"), 56),
          at_most(plan_of(plans, "vgg16"), 23),
          nothing_copied(plan_of(plans, "googlenet")),
          nothing_copied(plan_of(plans, "inception_v3")),
          without(plan_of(plans, "xception"), std::array<std::string_view, 2>{"BatchNorm", "Relu"}),
          tight_arena(plans)};
}

std::string structure_row(const ZooPlan& plan) {
  return cat("| ",
             plan.network,
             " | ",
             plan.layers,
             " | ",
             plan.operators,
             " | ",
             plan.steps,
             " | ",
             plan.after.launches,
             " | ",
             plan.copies,
             " |");
}

std::string goal_row(const Goal& goal) {
  return cat("| ",
             goal.network,
             " | ",
             goal.aim,
             " | ",
             goal.got,
             " | ",
             goal.reached ? "reached" : "missed",
             " |");
}

}  // namespace fovea::test
