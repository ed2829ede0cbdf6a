// Transformed weights in the order in which the products read them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/winograd_shape.h"

namespace fovea::cpu::winograd {

/// u = G g G^T for every pair of channels, computed in double and rounded once.
///
/// packed  conv.weight_floats() zeros on entry, ordered as PanelGroup::weights_at() says
void pack_weights(const Convolution& conv, const StoredWeights& stored, std::span<float> packed);

}  // namespace fovea::cpu::winograd
