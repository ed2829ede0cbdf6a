// When the pixels of a kernel's tensors can be moved 16 bytes at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "kernels/detail/grid.h"
#include "kernels/element.h"

namespace fovea::kernels {

/// Where a tensor's pixels lie: elements from one to the next.
struct Pixels {
  const void* address;  ///< null where the launch has no such tensor
  std::int64_t stride;
};

/// Whether every 16 bytes of pixels of `channels` elements, counted from a pixel's first one, can
/// be moved by one access.
inline bool in_vectors(ElementType type, int channels, std::initializer_list<Pixels> tensors) {
  constexpr std::uintptr_t kBytes = 16;
  const auto width = static_cast<int>(kBytes / bytes_of(type));
  return channels % width == 0 && std::all_of(tensors.begin(), tensors.end(), [&](Pixels pixels) {
           return pixels.address == nullptr ||
                  (pixels.stride % width == 0 && aligned_to(pixels.address, kBytes));
         });
}

}  // namespace fovea::kernels
