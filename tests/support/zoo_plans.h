// What the compiler makes of the zoo's networks, in numbers, and what it is meant to make of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/plan/plan_cost.h"

namespace fovea::test {

/// Of one network with the head and the tail that a classifier gives it, for one batch size.
/// Nothing is run: all of it follows from shapes and from what the backend chooses without tuning.
struct ZooPlan {
  std::string network;
  std::size_t layers = 0;     ///< Keras's or Caffe's
  std::size_t operators = 0;  ///< of the graph before the passes
  std::size_t steps = 0;
  std::size_t copies = 0;  ///< steps that no node asked for: conversions, copies into a Concat
  std::vector<std::string> computed;  ///< operators of the steps, each as often as it is computed
  Cost before;                        ///< where every node is a kernel
  Cost after;                         ///< of the steps
  std::size_t arena_bytes = 0;
  std::size_t lower_bound = 0;  ///< of arena_bytes

  /// Steps that compute it.
  [[nodiscard]] std::size_t count(std::string_view op) const;
};

/// Threads that the plans are for.
inline constexpr int kZooThreads = 2;

[[nodiscard]] ZooPlan zoo_plan(std::string_view network,
                               std::unique_ptr<Backend> backend,
                               std::int64_t batch = 1);

/// Of every network of the zoo, in its order.
[[nodiscard]] std::vector<ZooPlan> zoo_plans(std::unique_ptr<Backend> (*make_backend)(),
                                             std::int64_t batch = 1);

/// An aim for the structure of a network's plan.
struct Goal {
  std::string network;
  std::string aim;  ///< "at most 23 steps"
  std::string got;  ///< "23"
  bool reached = false;
};

/// What the plans of all networks of the zoo are held to.
[[nodiscard]] std::vector<Goal> goals(std::span<const ZooPlan> plans);

/// The first columns of a plan's row in docs/compiler.md, up to the last of those that count:
/// "| vgg16 | 23 | 56 | 23 | 23 | 0 |".
[[nodiscard]] std::string structure_row(const ZooPlan& plan);

/// A goal's row there.
[[nodiscard]] std::string goal_row(const Goal& goal);

}  // namespace fovea::test
