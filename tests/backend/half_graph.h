// Graphs of tests in a 16-bit float type.
#pragma once

#include <vector>

#include "engine/graph/graph.h"
#include "tests/backend/op_cases.h"

namespace fovea::test {

/// The graph with weights (Constants of several dimensions) that `half` can hold, still float32:
/// packing them in that type changes nothing. What is added per channel stays as it is.
[[nodiscard]] Graph with_weights_of(const Graph& from, DType half);

/// The graph on `half`, with_weights_of() it: float inputs are cast, float outputs cast back.
[[nodiscard]] Graph in_half(const Graph& from, DType half);

/// Those of op_cases() whose operators all take 16-bit floats, as they are.
[[nodiscard]] std::vector<OpCase> half_cases();

/// The distance of two neighbours in the type, relative to the smaller one: what a result moves by
/// where a sum in float32 ends on the other side of a tie. f16 or bf16.
[[nodiscard]] inline float unit_in_the_last_place(DType half) {
  return half == DType::kFloat16 ? 0x1p-10F : 0x1p-7F;
}

}  // namespace fovea::test
