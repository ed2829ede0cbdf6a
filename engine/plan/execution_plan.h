// The immutable result of a compilation: what a context runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fovea/types.h>

#include "engine/backend/backend.h"
#include "engine/passes/pass.h"
#include "engine/plan/tactic_options.h"
#include "engine/plan/tactic_record.h"

namespace fovea {

/// A part of the arena that one value has, or several: slices, views, values one after the other.
struct ArenaBuffer {
  std::size_t offset = 0;  ///< bytes from the arena's start
  std::size_t bytes = 0;
};

/// A tensor of one bucket: where it lies in the arena.
struct Slot {
  TensorDesc desc;
  Layout layout;
  std::size_t offset =
      0;  ///< bytes from the arena's start to the first element (of a slice: its own)
  std::size_t buffer = 0;  ///< index into BucketPlan::buffers, in which it lies
};

/// Index into BucketPlan::slots; kNoSlot stands for a Constant, which the step holds itself.
using SlotId = std::size_t;
inline constexpr SlotId kNoSlot = static_cast<SlotId>(-1);

/// Stands for a conversion or a copy, which no node of the graph asked for.
inline constexpr NodeId kNoNode = -1;

/// What a conversion or a copy is for.
struct MovedValue {
  Value value{};                ///< of ExecutionPlan::graph
  std::vector<NodeId> readers;  ///< that read the result in its place; none: it leaves the plan
};

struct PlannedStep {
  std::string name;       ///< of the node, or of the value that is converted
  NodeId node = kNoNode;  ///< of ExecutionPlan::graph
  std::string tactic;     ///< stable name
  std::shared_ptr<const Step> step;
  std::vector<SlotId> inputs;
  std::vector<SlotId> outputs;
  MovedValue moved;  ///< of kNoNode
};

/// The steps for one batch size.
struct BucketPlan {
  std::int64_t batch = 0;
  std::vector<ArenaBuffer> buffers;  ///< empty ones are no slot's
  std::vector<Slot> slots;
  std::vector<PlannedStep> steps;
  std::vector<SlotId>
      inputs;  ///< in the order of ExecutionPlan::inputs; dense but for encoded ones
  std::vector<EncodeInput> encoders;  ///< likewise; empty for inputs that lie as they are given
  std::vector<SlotId> outputs;        ///< in the order of ExecutionPlan::outputs; dense
  std::size_t arena_bytes = 0;        ///< of the slots
  std::size_t lower_bound = 0;        ///< largest live set, see ArenaPlan
  std::size_t workspace_bytes = 0;
};

/// Immutable; shared by any number of contexts and threads.
struct ExecutionPlan {
  std::shared_ptr<const Backend> backend;
  Graph graph;  ///< as it was lowered, but with the batch left open
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<BucketPlan> buckets;  ///< ascending batch; never empty
  std::size_t weight_bytes = 0;     ///< packed, shared by the buckets
  int threads = 1;                  ///< CPU threads that one run may use
  Precision precision = Precision::kFp32;
  Report report;
  TacticRecord tactics;

  /// The smallest bucket for n pictures. Throws InvalidArgument where n is below 1 or above the
  /// largest.
  [[nodiscard]] const BucketPlan& bucket_for(std::int64_t n) const;
};

/// One line per step of every bucket: name, tactic, output, layout and arena offset.
[[nodiscard]] std::string to_string(const ExecutionPlan& plan);

struct PlanOptions {
  std::vector<std::int64_t> buckets{1};  ///< batch sizes, each >= 1
  int threads = 1;                       ///< CPU threads that one run may use
  bool exact_convolutions = false;       ///< no Winograd convolution: see OpSite
  Precision precision = Precision::kFp32;
  TacticOptions tactics{};
  std::vector<std::string> notices{};  ///< what TacticRecord::notices begin with
  PassObserver on_pass{};              ///< may be empty

  /// Passes that are left out, by name: passes_without().
  std::vector<std::string> disabled_passes{};
};

/// Throws Unsupported, with what there is instead, where the backend does not compute in it.
void require_precision(const Backend& backend, Precision precision);

/// Optimises the graph for the backend and lowers it once per bucket over one store of packed
/// weights. A graph without a symbolic batch gets one bucket, whatever the options say. Throws
/// Unsupported where the backend has no tactic for a node or not the precision, weights/missing for
/// a parameter without data, InvalidArgument for a graph without outputs or bad options.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_plan(
    const Graph& graph, std::shared_ptr<const Backend> backend, const PlanOptions& options);

/// The same into a store of the caller's, which is of that backend.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> compile_plan(
    const Graph& graph,
    std::shared_ptr<const Backend> backend,
    const PlanOptions& options,
    WeightStore& weights);

}  // namespace fovea
