// Dense layers of our own as tactics.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The tactics for a Dense on float32 or bf16 whose weights are constants, best first; none where
/// they do not apply. A row's result is the same in every batch.
[[nodiscard]] std::vector<Tactic> dense_tactics(const OpSite& site);

}  // namespace fovea::cpu
