// A compiled network.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fovea/types.h>

namespace fovea {

struct ExecutionPlan;

/// Immutable; shared by any number of contexts and threads.
class Plan {
 public:
  explicit Plan(std::shared_ptr<const ExecutionPlan> plan) : plan_(std::move(plan)) {}

  /// The name of the backend that it was compiled for.
  [[nodiscard]] std::string backend() const;

  [[nodiscard]] std::span<const TensorInfo> inputs() const;
  [[nodiscard]] std::span<const TensorInfo> outputs() const;

  /// The most pictures that one run takes.
  [[nodiscard]] std::int64_t largest_batch() const;

  /// Bytes of packed weights, shared by all batch sizes and contexts.
  [[nodiscard]] std::size_t weight_bytes() const;

  /// One line per step of every batch size: name, tactic, output, layout, arena offset.
  [[nodiscard]] std::string summary() const;

  /// Sentences about what was expected of the compilation and did not happen: a plan file that was
  /// made on another machine, operations that the time for tuning did not suffice for, wrong or
  /// missing ways to compute one, a damaged cache.
  [[nodiscard]] std::span<const std::string> notices() const;

  [[nodiscard]] const std::shared_ptr<const ExecutionPlan>& impl() const { return plan_; }

 private:
  std::shared_ptr<const ExecutionPlan> plan_;
};

}  // namespace fovea
