// Winograd's convolution as tactics.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The tactics for a Conv2d whose weights are constants, best first; none where they do not apply
/// or are not the faster way. The answer depends on the shape of one picture, never on the batch: a
/// picture's result is the same in every batch. Infinities and NaN of the input spread over the
/// outputs of their tiles.
[[nodiscard]] std::vector<Tactic> winograd_tactics(const OpSite& site);

}  // namespace fovea::cpu
