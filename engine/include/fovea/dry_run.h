// What a network would be compiled to, and the least that a device must do for it: nothing is
// measured, run or written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/model.h>
#include <fovea/options.h>
#include <fovea/plan.h>

namespace fovea {

/// One step of a plan, in numbers that follow from shapes.
struct DryRunStep {
  std::string name;    ///< of the node, or of the value whose layout it changes
  std::string tactic;  ///< stable name: the kernel or the library's graph
  std::string output;  ///< what it writes, such as "f16[8,56,56,64]"
  std::int64_t flops = 0;
  std::size_t bytes = 0;         ///< that it must move at least, weights included
  std::size_t weight_bytes = 0;  ///< of them
  double floor_us = 0;           ///< by the device's ceilings; 0 where none are known
  bool bound_by_bytes = true;    ///< whether the floor is that of the bytes
  std::string refusal;           ///< see ChosenTactic
};

/// The steps for one batch size.
struct DryRunBucket {
  std::int64_t batch = 0;
  std::size_t launches = 0;
  std::size_t arena_bytes = 0;
  std::size_t lower_bound_bytes = 0;  ///< of the arena: the largest set of live buffers
  std::size_t workspace_bytes = 0;    ///< beside the arena
  double floor_us = 0;                ///< the sum of the steps'
  std::vector<DryRunStep> steps;
};

/// The highest rates of a device, by its data sheet and without sparsity; a second.
struct DeviceCeilings {
  std::string device;  ///< such as "H100 SXM"
  double bytes_per_s = 0;
  double flops_per_s = 0;  ///< in the plan's precision
};

struct DryRun {
  std::shared_ptr<const Plan> plan;  ///< for explain(); one for a target cannot be run
  std::string model;
  std::string backend;
  std::string precision;
  std::string compiled_for;      ///< the device, and the libraries' versions
  std::size_t weight_bytes = 0;  ///< that a run reads
  std::size_t memory_bytes = 0;  ///< of the device in all; 0 where that is not known
  std::optional<DeviceCeilings> ceilings;
  std::vector<DryRunBucket> buckets;  ///< ascending batch
};

/// Throws what dry_run() throws for such a target, or for the backend beside it: before a model is
/// opened, which may take a download. Thread-safe.
void check_target(std::string_view backend, std::string_view target);

/// Compiles the model as save_plan does. Nothing is measured, whatever `options` say of tuning.
///
/// target   a type of device that need not be here, such as "sm_90"; empty: the backend of
///          `options` on this machine. Throws argument/invalid for one that there is not, and where
///          `options` name another backend than "auto" or "cuda"; argument/unsupported where this
///          build has no CUDA backend; else what compile() throws. Thread-safe.
[[nodiscard]] DryRun dry_run(const Model& model,
                             const CompileOptions& options,
                             std::string_view target = {});

}  // namespace fovea
