// Weights by the order of the layers: Keras's own rule for its legacy files.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fovea/types.h>

#include "engine/core/buffer.h"
#include "engine/graph/graph.h"

namespace fovea {

/// A tensor of a weights file, row-major in the layout of that file.
struct StoredTensor {
  std::string name;
  TensorDesc desc;
  std::shared_ptr<const Buffer> data;
};

/// A layer of a weights file.
struct StoredLayer {
  std::string name;
  std::vector<StoredTensor> tensors;
};

/// Gives the k-th layer of the graph that has parameters the tensors of the k-th one of `stored`
/// that has tensors, in order: names mean nothing, as in Keras. Layers count in the order of
/// layers(graph). The graph then shares the bytes.
///
/// Returns a warning for people, or an empty text: names that are those of the graph in another
/// order hint at a file whose layers were sorted.
/// Throws Error weights/shape-mismatch, naming both sides, where the numbers of layers, of a
/// layer's tensors, a shape or an element type differ; the graph is then as it was.
[[nodiscard]] std::string load_weights_in_order(Graph& graph, std::span<const StoredLayer> stored);

}  // namespace fovea
