// Direct convolutions of our own as tactics.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The tactics for a Conv2d whose weights are constants, best first; none where they do not apply.
/// They read and write channel slices.
[[nodiscard]] std::vector<Tactic> direct_tactics(const OpSite& site);

}  // namespace fovea::cpu
