// A network with the head and the tail that make it a classifier of pictures.
#pragma once

#include <fovea/model.h>
#include <fovea/preprocess.h>

#include "engine/core/largest_side.h"
#include "engine/graph/graph.h"
#include "engine/importers/manifest.h"

namespace fovea {

/// What a network says of itself, as far as a classifier needs it.
struct ClassifierShape {
  int height = 0;               ///< 1 to kLargestSide
  int width = 0;                ///< 1 to kLargestSide
  int channels = 0;             ///< 1 or 3
  bool channels_first = false;  ///< the network's own input is NCHW
  std::int64_t classes = 0;
};

/// Throws InvalidArgument unless the graph has one float32 picture input of that layout and its
/// first output is one row of classes per picture; [N,1000,1,1] is one, too.
///
/// layout   of the input; kOther is NHWC, the graph's own rule
[[nodiscard]] ClassifierShape classifier_shape(const Graph& graph, InputLayout layout);

/// The contract with the network's own size.
/// Throws InvalidArgument where it does not fit the network: its colour, a mode with a mean for
/// each colour where pictures are gray, a shorter side below the crop.
[[nodiscard]] PreprocessSpec classifier_spec(const PreprocessSpec& contract,
                                             const ClassifierShape& shape);

/// ResizeImage -> NormalizeImage -> the network -> (Reshape to a row) -> (Softmax, where `logits`)
/// -> TopK, with the outputs "values" and "indices". The spec is what classifier_spec gave for that
/// shape.
[[nodiscard]] Graph classify_graph(const Graph& graph,
                                   const ClassifierShape& shape,
                                   const PreprocessSpec& spec,
                                   std::int64_t k,
                                   bool logits);

/// `network`, which is the model's, with a classifier's head and tail for its (at most five) best
/// classes; as it is where the model has no contract for pictures.
[[nodiscard]] Graph deployed_graph(const Model::Impl& model, const Graph& network);

/// The model's own network likewise, but from pictures of its own size, which need no resizing on
/// any backend.
[[nodiscard]] Graph served_graph(const Model& model);

}  // namespace fovea
