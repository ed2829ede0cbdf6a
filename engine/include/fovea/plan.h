// A compiled network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fovea/types.h>

namespace fovea {

struct ExecutionPlan;

/// The least that a device must do for a batch, and how long that takes it.
struct PlanFloor {
  std::string device;          ///< such as "NVIDIA H100 80GB HBM3"
  double us = 0;               ///< microseconds
  bool bound_by_bytes = true;  ///< whether steps that the memory bounds are the larger part
};

/// Immutable; shared by any number of contexts and threads.
class Plan {
 public:
  /// For the library itself, as impl(): compile() and open_model() make plans.
  explicit Plan(std::shared_ptr<const ExecutionPlan> plan) : plan_(std::move(plan)) {}

  /// The name of the backend that it was compiled for.
  [[nodiscard]] std::string backend() const;

  /// Whether runs are computed by the processor, and not by a device with memory of its own.
  [[nodiscard]] bool on_host() const;

  /// What a run reads, in the order of Context::run(); a batch that is left open is kBatch.
  [[nodiscard]] std::span<const TensorInfo> inputs() const;

  /// What a run gives, in that order.
  [[nodiscard]] std::span<const TensorInfo> outputs() const;

  /// The most pictures that one run takes.
  [[nodiscard]] std::int64_t largest_batch() const;

  /// Bytes of packed weights, shared by all batch sizes and contexts.
  [[nodiscard]] std::size_t weight_bytes() const;

  /// What the steps of every batch size are, for people: name, tactic, output, layout and arena
  /// offset, a line a step, in columns.
  [[nodiscard]] std::string summary() const;

  /// The least time that a batch takes on the device: the sum over the steps of the larger of bytes
  /// and operations over the device's highest rates. Nothing where those are not known, as on the
  /// host. `batch` is 1 to largest_batch(). Throws argument/invalid for another one.
  [[nodiscard]] std::optional<PlanFloor> floor(std::int64_t batch) const;

  /// Sentences about what was expected of the compilation and did not happen: a plan file that was
  /// made on another machine, operations that the time for tuning did not suffice for, wrong or
  /// missing ways to compute one, a damaged cache.
  [[nodiscard]] std::span<const std::string> notices() const;

  /// What it consists of; the type is none of the public interface.
  [[nodiscard]] const std::shared_ptr<const ExecutionPlan>& impl() const { return plan_; }

 private:
  std::shared_ptr<const ExecutionPlan> plan_;
};

}  // namespace fovea
