// A step that evaluates its operator by the operator's own definition.
#pragma once

#include "engine/backend/backend.h"

namespace fovea {

/// The tactic "evaluate": dense host tensors, any operator, slow and exact. It is all of the
/// reference backend, and what host backends use for operators that have nothing to gain.
[[nodiscard]] Tactic evaluate_tactic(const OpSite& site);

}  // namespace fovea
