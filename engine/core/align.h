// Sizes rounded up.
#pragma once

#include <cstddef>

namespace fovea {

/// The smallest multiple of `alignment` (>= 1) that is not below `bytes`.
[[nodiscard]] constexpr std::size_t align_up(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace fovea
