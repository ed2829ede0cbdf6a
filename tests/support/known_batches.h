// Batches of a plan whose outputs are known, for contexts that work on several at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/runtime/pipelined_context.h"

namespace fovea::test {

/// Pseudo-random pictures and what an ExecutionContext makes of them.
struct KnownBatch {
  std::int64_t n = 0;
  std::vector<std::vector<std::byte>> inputs;
  std::vector<std::vector<std::byte>> outputs;

  /// Writes the inputs and returns n: what PipelinedContext::submit takes.
  [[nodiscard]] std::int64_t fill(std::span<const std::span<std::byte>> to) const;

  /// Whether these are the outputs, bit for bit.
  [[nodiscard]] bool equals(std::span<const std::span<const std::byte>> got) const;
};

/// One batch of each of these sizes, all of other pictures.
[[nodiscard]] std::vector<KnownBatch> known_batches(
    const std::shared_ptr<const ExecutionPlan>& plan, std::span<const std::int64_t> sizes);

/// Submits the batches one after the other, collects the oldest one where all slots are taken and
/// the rest at the end. Returns how many outputs were not the known ones.
[[nodiscard]] std::size_t wrong_answers(PipelinedContext& context,
                                        std::span<const KnownBatch> batches);

}  // namespace fovea::test
