// Names for new nodes.
#pragma once

#include <string>
#include <unordered_set>

#include "engine/graph/graph.h"

namespace fovea {

/// Hands out names that no node has yet: a model may call its nodes whatever it likes.
class Names {
 public:
  /// Those of the graph's nodes are taken.
  explicit Names(const Graph& graph);

  /// The wanted name, with as many underscores behind it as it takes; it is taken from now on.
  [[nodiscard]] std::string take(std::string wanted);

 private:
  std::unordered_set<std::string> taken_;
};

}  // namespace fovea
