#include <fovea/describe.h>

#include "engine/api/model_graph.h"
#include "engine/graph/layer_dot.h"
#include "engine/graph/summary.h"

namespace fovea {

std::string summary(const ModelGraph& graph, std::string_view name, int columns) {
  return summary(ModelGraphAccess::graph(graph), name, columns);
}

std::string plot_text(const ModelGraph& graph, const PlotOptions& options) {
  return layer_dot(ModelGraphAccess::graph(graph), options);
}

}  // namespace fovea
