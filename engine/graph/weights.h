// Giving a graph its weights.
#pragma once

#include "engine/core/safetensors.h"
#include "engine/graph/graph.h"

namespace fovea {

/// Gives every Constant without data the tensor of its name; the graph then shares the bytes.
/// Tensors that the graph has no parameter for are left aside. The graph does not change where
/// this throws: weights/missing for a parameter that has no tensor, weights/shape-mismatch where
/// a tensor has another element type, shape or number of bytes than its parameter.
void load_weights(Graph& graph, const NamedTensors& tensors);

}  // namespace fovea
