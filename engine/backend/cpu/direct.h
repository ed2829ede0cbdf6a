// Direct convolutions of our own as tactics.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The tactics for a Conv2d whose weights are constants, best first; none where they do not apply.
/// They read and write channel slices.
[[nodiscard]] std::vector<Tactic> direct_tactics(const OpSite& site);

/// Whether this processor has what our own convolutions need: then they are the first choice.
[[nodiscard]] bool own_kernels();

}  // namespace fovea::cpu
