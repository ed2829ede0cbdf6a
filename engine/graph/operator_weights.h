// Weights by the order of the operators that have some, from one graph to another.
#pragma once

#include "engine/graph/graph.h"

namespace fovea {

/// Gives the k-th Conv2d or Dense of the graph, in its order, kernel and bias of the k-th one of
/// `source`, whose parameters are Constants in the operators' own layout. The graph's own may lie
/// behind a Transpose, as those of a GraphBuilder do, and are stored in its layout. A graph without
/// any other parameter than those is complete afterwards.
///
/// A Dense behind a flattened picture counts its inputs in the order of the picture's dimensions;
/// where one graph flattens rows, columns, channels and the other one channels, rows, columns, the
/// columns of the kernel are reordered. What has to be moved is moved whenever it is read.
///
/// Throws Error weights/shape-mismatch, naming both sides, where the numbers of operators, their
/// kinds, shapes or biases differ, a parameter of `source` is no Constant, a Dense of one side only
/// is seen to flatten a picture, or either graph has a BatchNorm, whose parameters would be left
/// out; the graph is then as it was.
void load_weights_by_operator(Graph& graph, const Graph& source);

}  // namespace fovea
