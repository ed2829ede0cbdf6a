// The layers of a network as text for Graphviz.
#pragma once

#include <string>

#include <fovea/describe.h>

#include "engine/graph/graph.h"

namespace fovea {

/// See plot_text() in <fovea/describe.h>.
[[nodiscard]] std::string layer_dot(const Graph& graph, const PlotOptions& options);

/// The drawing's nodes and edges alone, for a larger drawing; the nodes are called "layer0" and so
/// on. With PlotOptions::beside the inputs of a chain of layers are drawn, too, which are no
/// layers: the drawing beside it has them.
[[nodiscard]] std::string layer_statements(const Graph& graph, const PlotOptions& options);

}  // namespace fovea
