#include "engine/graph/work.h"

namespace fovea {

std::int64_t multiply_adds(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes()) {
    if (node.as<Conv2d>() == nullptr && node.as<Dense>() == nullptr) continue;
    // Every value of the output is a sum over what one output channel's weights hold.
    const Shape& weights = graph.desc(node.inputs[1]).shape;
    std::int64_t terms = 1;
    for (std::size_t i = 1; i < weights.size(); ++i) terms *= weights[i];
    std::int64_t values = 1;
    const Shape& output = node.outputs[0].shape;
    for (std::size_t i = 1; i < output.size(); ++i) values *= output[i];
    sum += values * terms;
  }
  return sum;
}

}  // namespace fovea
