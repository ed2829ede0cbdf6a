// Copies between layouts with the channels last.
#pragma once

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// The copy of a tensor of any type between dense and sliced layouts.
[[nodiscard]] Tactic copy_tactic(const TensorDesc& desc, const Layout& from, const Layout& to);

}  // namespace fovea::cpu
