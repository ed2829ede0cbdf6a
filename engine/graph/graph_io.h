// Graphs as files: graph.json and the tensors of its Constants.
//
// {"format": 1,
//  "nodes": [{"name": "x", "op": "Input", "inputs": [], "attributes": {...}}, ...],
//  "outputs": [{"name": "y", "value": "softmax"}]}
// Nodes stand in execution order. A value is the name of its node, or ["name", i] for output i > 0.
// A Constant with "data": true has its bytes in the tensor of its name; one with false is a
// parameter that weights are loaded into later.
#pragma once

#include <string>
#include <string_view>

#include "engine/core/safetensors.h"
#include "engine/graph/graph.h"

namespace fovea {

/// The most nodes that a file may have; more is model/limit.
inline constexpr NodeId kMaxGraphNodes = 100'000;

/// The text of graph.json, one node a line; the same graph gives the same text.
/// Throws InvalidArgument for a name that is not UTF-8.
[[nodiscard]] std::string graph_json(const Graph& graph);

/// The tensors of the Constants that have data, by node name; the bytes are shared.
/// Throws InvalidArgument where two of them have the same name.
[[nodiscard]] NamedTensors constant_tensors(const Graph& graph);

/// The graph of that text, with its Constants sharing the tensors' bytes. Tensors that no Constant
/// refers to are left aside.
///
/// Throws Error, naming the node: model/corrupt for anything that graph_json does not write or that
/// is no graph (an input that does not come before its node, two nodes of one name, a tensor that
/// is absent or of another description, shapes that do not fit); model/unsupported-op for an
/// unknown operator; model/unsupported-format for a newer format; model/limit for more nodes than
/// kMaxGraphNodes or more dimensions than kMaxRank.
[[nodiscard]] Graph parse_graph(std::string_view json, const NamedTensors& tensors);

}  // namespace fovea
