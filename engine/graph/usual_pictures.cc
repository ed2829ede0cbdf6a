#include "engine/graph/usual_pictures.h"

#include <algorithm>
#include <cmath>

#include "engine/core/ragged_batch.h"

namespace fovea {

const PreprocessSpec* resizing(const Node& node) {
  if (const auto* resize = node.as<ResizeImage>()) return &resize->spec;
  const auto* both = node.as<ResizeNormalize>();
  return both == nullptr ? nullptr : &both->spec;
}

UsualPictures usual_pictures(const Graph& graph, const Node& node) {
  constexpr double kLargestSquare = 256;
  const std::int64_t channels = pixel_bytes(pixel_format(resizing(node)->color));
  const std::int64_t count = graph.desc(node.inputs[1]).shape[0];
  const std::int64_t room = num_elements(graph.desc(node.inputs[0]).shape) / (count * channels);
  const double edge = std::sqrt(static_cast<double>(room));
  const auto side = static_cast<std::int64_t>(std::min(edge, kLargestSquare));
  return {.count = count, .side = side, .picture_bytes = side * side * channels};
}

}  // namespace fovea
