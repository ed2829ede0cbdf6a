#include "engine/import_worker/onnx/window.h"

#include <string>
#include <utility>
#include <vector>

namespace fovea::onnx {

namespace {

Pair pair(const std::vector<std::int64_t>& sizes) {
  return {sizes[0], sizes[1]};
}

}  // namespace

Window read_window(OnnxNode& node, const Pair& kernel) {
  return {.kernel = kernel,
          .strides = pair(node.sizes("strides", 2, 1, 1)),
          .dilations = pair(node.sizes("dilations", 2, 1, 1))};
}

Pads read_padding(OnnxNode& node, const Shape& shape, const Window& window) {
  const std::vector<std::int64_t> given = node.sizes("pads", 4, 0, 0);
  const std::string automatic = node.text("auto_pad", "NOTSET");
  if (automatic == "NOTSET") return {given[0], given[1], given[2], given[3]};
  if (automatic == "VALID") return {0, 0, 0, 0};
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER") {
    node.fail_corrupt("has an unknown 'auto_pad'");
  }
  std::array<Pair, 2> around{};
  for (std::size_t d = 0; d < 2; ++d) {
    around.at(d) = same_padding(
        shape[d + 1], window.kernel.at(d), window.strides.at(d), window.dilations.at(d));
    if (automatic == "SAME_LOWER") std::swap(around.at(d)[0], around.at(d)[1]);
  }
  return {around[0][0], around[1][0], around[0][1], around[1][1]};
}

}  // namespace fovea::onnx
