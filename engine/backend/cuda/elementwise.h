// The fused activation of an operator, as the kernels take it.
#pragma once

#include "engine/graph/ops/activation.h"
#include "kernels/activation.h"

namespace fovea::cuda {

[[nodiscard]] kernels::Activation kernel_activation(const Activation& activation);

}  // namespace fovea::cuda
