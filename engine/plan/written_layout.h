// Where a tactic writes its results.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/backend/backend.h"

namespace fovea {

/// The layout in which the tactic writes output `i`: its own, or the slice that the site wants and
/// that it can write.
[[nodiscard]] inline Layout written_layout(const Tactic& tactic,
                                           std::size_t i,
                                           const OpSite& site) {
  const std::optional<Layout> want = site.wanted_layout(i);
  const bool can_slice = tactic.writes_slices && tactic.outputs[i] == Layout{};
  return can_slice && want && want->kind == Layout::Kind::kSliced ? *want : tactic.outputs[i];
}

}  // namespace fovea
