// What steps are expected to take where nothing is measured.
//
// The least time by the data sheet of a device of that compute capability, as often as kernels of a
// kind are expected to need it, and the launch. Rough, and meant for one question alone: whether a
// faster kernel is worth the copies that it needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/backend.h"

namespace fovea::cuda {

/// Kernels by how close they are expected to come to the least time of their operation.
enum class Pace : std::uint8_t {
  kBest,    ///< those that stand first: cuDNN's, and our own for depthwise convolutions
  kSecond,  ///< those that compute the operation too and were made for others
  kPlain,   ///< our own for all convolutions
};

/// Microseconds that a Conv2d is expected to take, > 0.
///
/// tensor_cores   whether its products are computed there, where the device has them for the type
[[nodiscard]] double convolution_us(const OpSite& site,
                                    int capability,
                                    Pace pace,
                                    bool tensor_cores);

/// Microseconds that a copy of so many bytes is expected to take, > 0.
[[nodiscard]] double copy_us(std::size_t bytes, int capability);

}  // namespace fovea::cuda
