// A network with the head and the tail that make it a classifier of pictures.
#pragma once

#include <fovea/preprocess.h>

#include "engine/graph/graph.h"

namespace fovea {

/// What a network says of itself, as far as a classifier needs it.
struct ClassifierShape {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  bool channels_first = false;  ///< the network's own input is NCHW
  std::int64_t classes = 0;
};

/// Throws InvalidArgument unless the graph has one float32 picture input and its first output is
/// one row of classes per picture.
[[nodiscard]] ClassifierShape classifier_shape(const Graph& graph);

/// ResizeImage -> NormalizeImage -> the network -> (Softmax, where `logits`) -> TopK, with the
/// outputs "values" and "indices". The spec's size and colour are the network's.
[[nodiscard]] Graph classify_graph(const Graph& graph,
                                   const PreprocessSpec& spec,
                                   std::int64_t k,
                                   bool logits);

}  // namespace fovea
