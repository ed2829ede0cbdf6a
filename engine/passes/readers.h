// Who reads what: the edges of a graph the other way round.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// The nodes that read any output of each node, by NodeId and in order; a node that reads one twice
/// stands there twice.
[[nodiscard]] std::vector<std::vector<NodeId>> readers(const Graph& graph);

/// The node that alone reads the node, whose readers these are, and reads it once; nothing where
/// several do, or an output of the graph.
[[nodiscard]] std::optional<NodeId> only_reader(const Graph& graph,
                                                NodeId id,
                                                const std::vector<NodeId>& read_by);

/// Whether an output of the node leaves the graph.
[[nodiscard]] bool is_output(const Graph& graph, NodeId id);

/// Whether the operator reads a channel slice as it lies, on a target that reads slices at all.
[[nodiscard]] bool reads_slices(const Op& op);

}  // namespace fovea
