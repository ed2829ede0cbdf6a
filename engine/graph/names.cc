#include "engine/graph/names.h"

namespace fovea {

Names::Names(const Graph& graph) {
  for (const Node& node : graph.nodes()) taken_.insert(node.name);
}

std::string Names::take(std::string wanted) {
  while (!taken_.insert(wanted).second) wanted += '_';
  return wanted;
}

}  // namespace fovea
