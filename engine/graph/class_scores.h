// What a classifier can take for the scores of its classes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fovea/types.h>

namespace fovea {

/// The number of classes where the value is one row of scores per picture: [N,C], or [N,C,1,1] as
/// networks give it that end with a convolution. Nothing for any other value.
[[nodiscard]] inline std::optional<std::int64_t> number_of_classes(const TensorDesc& scores) {
  if (scores.dtype != DType::kFloat32 || scores.shape.size() < 2) return std::nullopt;
  std::int64_t classes = 1;
  for (std::size_t d = 1; d < scores.shape.size(); ++d) {
    const std::int64_t size = scores.shape[d];
    if (size != 1 && classes != 1) return std::nullopt;
    classes = std::max(classes, size);
  }
  return classes;
}

}  // namespace fovea
