// The text that stands for an operation in timing caches and plan files.
#pragma once

#include <string>

#include "engine/backend/backend.h"

namespace fovea {

/// One line that is equal for two sites exactly where a backend offers the same tactics for both
/// and they take the same time: the operator with all attributes; of every input and output its
/// element type and shape; of inputs also where they lie, whether they are Constants, with which
/// strides, and whether two of them are one value; where results are wanted; the number of threads
/// and whether convolutions are exact. Never a name, an address or a weight's content. Stable
/// across runs and machines.
[[nodiscard]] std::string op_signature(const OpSite& site);

}  // namespace fovea
