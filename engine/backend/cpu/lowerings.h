// The CPU's lowerings, one function per operator family.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// Of the kernels that are our own. To be raised where one of them becomes faster or slower: times
/// that were measured before then no longer count.
inline constexpr int kKernelsVersion = 4;

/// Returns the ways to lower the site, best first; the site's operator is the one that the table
/// in lowerings.cc lists the function for.
using Lowering = std::vector<Tactic>(const OpSite&);

Lowering lower_conv2d;
Lowering lower_dense;
Lowering lower_pool;  ///< MaxPool, AveragePool
Lowering lower_global_pool;
Lowering lower_lrn;
Lowering lower_elementwise;  ///< Add, Relu, Clip, Tanh, Sigmoid
Lowering lower_concat;       ///< where it is more than a place
Lowering lower_view;         ///< Reshape, Identity: the same bytes
Lowering lower_softmax;
Lowering lower_topk;
Lowering lower_normalize_image;

Lowering lower_half;  ///< every operator with tensors of f16 or bf16

/// The lowering of that operator; operators that have nothing to gain are evaluated.
[[nodiscard]] std::vector<Tactic> lower(const OpSite& site);

}  // namespace fovea::cpu
