// f(x) that no output needs  ==>  nothing
//
// Always legal: it is never seen. Inputs stay, for they are what the caller binds.
#include "engine/passes/pass.h"

namespace fovea {

bool drop_dead_nodes(Graph& graph, PassContext& context) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.push_back(node.name);
  if (!graph.compact()) return false;

  // What is left is in its old order.
  NodeId kept = 0;
  for (const std::string& name : names) {
    if (kept < graph.size() && graph.node(kept).name == name) {
      ++kept;
    } else {
      context.report.take("drop-dead-nodes", name, "removed: no output needs it");
    }
  }
  return true;
}

}  // namespace fovea
