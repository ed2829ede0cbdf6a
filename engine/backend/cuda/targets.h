// Kinds of devices that plans can be made for without having one.
#pragma once

#include <span>
#include <string_view>

#include "engine/backend/ceilings.h"

namespace fovea::cuda {

/// A compute capability, and the ceilings of a device that has it.
struct Target {
  std::string_view name;  ///< "sm_90"
  int capability = 0;     ///< 10 times major, plus minor
  Ceilings ceilings;
};

/// All that are known, oldest first.
[[nodiscard]] std::span<const Target> targets();

/// The target of that name. Throws InvalidArgument, which lists all names, when there is none.
[[nodiscard]] const Target& find_target(std::string_view name);

}  // namespace fovea::cuda
