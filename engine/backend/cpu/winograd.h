// Winograd's convolution as a tactic.
#pragma once

#include <optional>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The tactic for a Conv2d whose weights are constants, or nothing where it does not apply or is
/// not the faster way. The answer depends on the shape of one picture, never on the batch: a
/// picture's result is the same in every batch. Infinities and NaN of the input spread over the
/// outputs of their tiles.
[[nodiscard]] std::optional<Tactic> winograd_tactic(const OpSite& site);

}  // namespace fovea::cpu
