// Where a plan wants the results of an operation.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/backend/backend.h"

namespace fovea {

/// By output: the channel slice where a Concat wants it, dense where it leaves the graph, nothing
/// where any layout will do. What does not lie there is copied.
using WantedLayouts = std::vector<std::optional<Layout>>;

/// The layout in which the tactic writes output `i`: its own, or the slice that is wanted and that
/// it can write.
[[nodiscard]] inline Layout written_layout(const Tactic& tactic,
                                           std::size_t i,
                                           const WantedLayouts& wanted) {
  const std::optional<Layout>& want = wanted[i];
  const bool can_slice = tactic.writes_slices && tactic.outputs[i] == Layout{};
  return can_slice && want && want->kind == Layout::Kind::kSliced ? *want : tactic.outputs[i];
}

}  // namespace fovea
