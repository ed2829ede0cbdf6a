// The one list of operator cases that every backend must agree on.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea::test {

struct OpCase {
  std::string name;
  std::function<Graph()> build;  ///< inputs float32 or u8, outputs float32 or i32, symbolic batch
  float tolerance = 0.0F;        ///< absolute, against the reference; 0 means equal

  friend std::ostream& operator<<(std::ostream& out, const OpCase& c) { return out << c.name; }
};

[[nodiscard]] const std::vector<OpCase>& op_cases();

}  // namespace fovea::test
