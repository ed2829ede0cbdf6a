// Copies between layouts with the channels last.
#pragma once

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The copy of a float32 tensor between dense and sliced layouts.
[[nodiscard]] Tactic copy_tactic(const TensorDesc& desc, const Layout& from, const Layout& to);

}  // namespace fovea::cpu
