// The width in which our own kernels compute.
#pragma once

#include <cstdint>

namespace fovea::cpu {

/// Channels that are computed side by side: one AVX-512 register of float32.
inline constexpr std::int64_t kLanes = 16;

}  // namespace fovea::cpu
