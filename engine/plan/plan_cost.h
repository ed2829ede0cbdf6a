// What the steps of a plan cost, in numbers that follow from shapes: no time is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// Of one step, or a sum of several. Bytes are those that must be moved at least: every value that
/// a step reads is read once. Of a slice they are its own channels alone; padding of blocked
/// layouts counts. How many bytes a ragged batch of pictures has is not known before: it counts as
/// pictures of 256 x 256 (usual_pictures.h), and what lies between two passes over it as nothing.
struct Cost {
  std::size_t launches = 0;       ///< of work, one for a step; two where it computes a
                                  ///< SeparableConv2d in its parts, whose value between them counts
  std::int64_t flops = 0;         ///< see graph/work.h
  std::size_t read_bytes = 0;     ///< of activations
  std::size_t written_bytes = 0;  ///< of activations
  std::size_t weight_bytes = 0;   ///< read, as the graph has them or, where it is smaller, in the
                                  ///< type of the result: packed ones may be larger

  Cost& operator+=(const Cost& other);
  bool operator==(const Cost&) const = default;
};

/// Of every step of the plan's bucket, in their order. Conversions and copies move bytes and
/// compute nothing.
[[nodiscard]] std::vector<Cost> step_costs(const ExecutionPlan& plan, const BucketPlan& bucket);

/// Of every node where each is one kernel of its own on dense values; nothing for Inputs and
/// Constants. The graph has a concrete batch: with_batch().
[[nodiscard]] std::vector<Cost> node_costs(const Graph& graph);

[[nodiscard]] Cost total(std::span<const Cost> costs);

/// "58 launches, 7.7 GFLOP, 92.1 MB moved": weights included.
[[nodiscard]] std::string to_string(const Cost& cost);

}  // namespace fovea
