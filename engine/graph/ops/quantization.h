// What QuantizeLinear and DequantizeLinear share: which element lies on which grid.
#pragma once

#include <cstddef>
#include <cstdint>

#include <fovea/types.h>

namespace fovea {

/// How the scales lie over a tensor: element i has scale i / inner % channels.
struct ScaleGrid {
  std::size_t channels = 1;  ///< scales
  std::size_t inner = 1;     ///< elements that follow each other under one scale

  [[nodiscard]] std::size_t channel(std::size_t i) const { return i / inner % channels; }
};

/// The grid of a tensor of concrete shape with one scale, or one each along `axis`.
[[nodiscard]] ScaleGrid scale_grid(const Shape& shape, std::int64_t axis, std::size_t scales);

/// Requires f32 scales: one ([] or [1]), or [D] with D the size of x's dimension `axis`, which
/// means nothing for one scale.
void check_scale(const TensorDesc& x, const TensorDesc& scale, std::int64_t axis);

}  // namespace fovea
