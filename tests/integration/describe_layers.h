// What a network's layers are, for comparing them with tables.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>

#include "engine/graph/graph.h"

namespace fovea::test {

/// A layer: the node of that name and the nodes "<name>/..." before it.
struct Layer {
  std::set<std::string> operators;  // ours, but those that only shape a weight
  std::string shape;                // of the result: "112x112x64"
  std::set<std::string> settings;   // as the tables write them: "k3x3", "s2", "eps=0.001"
  std::string inputs;               // "conv1_pad"
  std::string weights;              // "kernel[7, 7, 3, 64];bias[64]"
  std::int64_t parameters = 0;

  bool operator==(const Layer&) const = default;
};

/// For messages.
std::ostream& operator<<(std::ostream& stream, const Layer& layer);

/// All layers by name.
[[nodiscard]] std::map<std::string, Layer> describe_layers(const Graph& graph);

}  // namespace fovea::test
