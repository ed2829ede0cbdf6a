// Depthwise convolutions of our own as a tactic.
#pragma once

#include <optional>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The tactic for a Conv2d whose weights are constants, or nothing where it does not apply: one
/// filter for every channel, no residual. It reads and writes channel slices and takes a Relu of
/// its input in.
[[nodiscard]] std::optional<Tactic> depthwise_tactic(const OpSite& site);

}  // namespace fovea::cpu
