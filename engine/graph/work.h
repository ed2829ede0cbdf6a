// How much a network computes.
#pragma once

#include <cstdint>

#include "engine/graph/graph.h"

namespace fovea {

/// Multiply-adds of all convolutions and dense layers for one picture; the other operators' work is
/// small beside theirs and not counted.
[[nodiscard]] std::int64_t multiply_adds(const Graph& graph);

/// Floating-point operations of one node, counted simply: 2 a multiply-add, 1 for each bias,
/// residual and activation of an element that has one; the elements of a window or row that a
/// pooled, normalised or ranked one looks at; none for operators that only move elements. The graph
/// has a concrete batch.
[[nodiscard]] std::int64_t flops(const Graph& graph, const Node& node);

}  // namespace fovea
