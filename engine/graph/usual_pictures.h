// What stands for the pictures of a ragged batch where a plan is looked at or measured without any.
#pragma once

#include <cstdint>

#include <fovea/preprocess.h>

#include "engine/graph/graph.h"

namespace fovea {

/// What the node, a ResizeImage or ResizeNormalize, makes of pictures; nullptr for other nodes.
[[nodiscard]] const PreprocessSpec* resizing(const Node& node);

/// Squares, one for each row of the table.
struct UsualPictures {
  std::int64_t count = 0;
  std::int64_t side = 0;           ///< pixels
  std::int64_t picture_bytes = 0;  ///< of one
};

/// For a node that resizes, in a graph of concrete shapes: pictures of 256 x 256, or smaller ones
/// where the pixels have less room.
[[nodiscard]] UsualPictures usual_pictures(const Graph& graph, const Node& node);

}  // namespace fovea
