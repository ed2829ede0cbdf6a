// Runs what the importer makes of an ONNX model.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/support/evaluate_graph.h"
#include "tests/support/onnx_model.h"

namespace fovea::test {

using Floats = std::vector<float>;

/// Small whole numbers, so that sums are exact in any order.
inline Floats numbers(std::size_t count, unsigned start = 1) {
  Floats values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>((static_cast<unsigned>(i) * 7 + start) % 11) - 5.0F;
  }
  return values;
}

/// The model's output 0 for one picture.
inline Floats run_onnx(const OnnxModel& model, const Floats& x) {
  const Graph graph = with_batch(model.import().graph, 1);
  const auto values = evaluate_graph(graph, {{"x", x}});
  return values.at(graph.node(graph.outputs()[0].value).name);
}

}  // namespace fovea::test
