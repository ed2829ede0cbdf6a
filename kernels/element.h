// What the elements of a tensor are, to a kernel that takes several kinds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea::kernels {

/// float, IEEE half precision, bfloat16. Kernels compute in float32 whatever they load, and round
/// once, to nearest even, when they store.
enum class ElementType : std::uint8_t { kFloat32, kFloat16, kBFloat16 };

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t bytes_of(ElementType type) {
  return type == ElementType::kFloat32 ? 4 : 2;
}

}  // namespace fovea::kernels
